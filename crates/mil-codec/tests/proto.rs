//! The committed protobuf code is what `proto/*.proto` generate. `BLESS=1 cargo test -p mil-codec --test proto`
//! writes it anew; nobody needs `protoc`.

use std::path::Path;

#[test]
fn generated_code_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let files = protox::compile(["model.proto", "program.proto"], [root.join("proto")]).unwrap();
    prost_build::Config::new().out_dir(out).btree_map(["."]).bytes(["."]).compile_fds(files).unwrap();
    let fresh = std::fs::read_to_string(out.join("core_ml.rs")).unwrap();
    let committed = root.join("src/package/proto/core_ml.rs");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&committed, &fresh).unwrap();
    }
    let now = std::fs::read_to_string(&committed).unwrap_or_default();
    assert!(now == fresh, "src/package/proto/core_ml.rs is not what proto/ generates: run with BLESS=1");
}
