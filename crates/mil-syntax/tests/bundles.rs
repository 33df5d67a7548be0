//! Every `model.mil` that Apple's compiler wrote is read without a remark and is its own canonical layout.

use std::path::PathBuf;

fn shared() -> PathBuf {
    let fallback = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("MILWRIGHT_SHARED").map_or_else(fallback, PathBuf::from)
}

fn texts() -> Vec<(PathBuf, String)> {
    let bundles = shared().join("models/bundles");
    let Ok(entries) = std::fs::read_dir(&bundles) else {
        println!("skipped: {} is absent", bundles.display());
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path().join("model.mil"))
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn bundles_are_read_without_a_remark() {
    for (path, text) in texts() {
        let parsed = mil_syntax::parse(&text);
        assert_eq!(parsed.diagnostics, [], "{}", path.display());
        assert!(!parsed.program.functions.is_empty(), "{}", path.display());
    }
}

#[test]
fn the_layout_of_apples_compiler_is_canonical() {
    for (path, text) in texts() {
        assert_eq!(mil_syntax::format(&text).as_ref(), Ok(&text), "{}", path.display());
    }
}
