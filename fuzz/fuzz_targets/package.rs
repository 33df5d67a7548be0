//! Any bytes as a `.mlmodel`: the reader survives them, and what it read is written in a form that reads back as the same
//! model, byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mil_codec::package::{self, Described, Manifest, Package};
use mil_codec::{bundle, text};

/// The model written again; nothing if its weights are elsewhere or its signature cannot be described.
fn written(package: &Package) -> Option<Vec<u8>> {
    let described = Described {
        specification_version: package.specification_version,
        is_updatable: package.is_updatable,
        model: &package.description,
    };
    Some(package::write_model(&package.program, Some(described)).ok()?.0)
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(path) = Manifest::read(bytes).and_then(|m| m.root_path()) {
        assert!(path.starts_with("Data") && path.split('/').all(|part| part != ".."));
    }
    let _ = bundle::read_metadata(bytes);
    let Ok(package) = package::read_model(bytes.to_vec().into()) else { return };
    let _ = text::print(&package.program, &text::Options::default());
    let _ = package::write(&package.program, None);
    let Some(once) = written(&package) else { return };
    let again = package::read_model(once.clone().into()).expect("what was written can be read");
    assert!(written(&again) == Some(once), "writing twice is not writing once");
});
