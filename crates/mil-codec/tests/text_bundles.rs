//! The text printed for Apple's own `model.mil` is that text, byte for byte.

use mil_codec::text::{Options, print, read};
use std::path::PathBuf;

fn bundles() -> Vec<PathBuf> {
    let fallback = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("MILWRIGHT_SHARED").map_or_else(fallback, PathBuf::from);
    let folder = shared.join("models/bundles");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is absent", folder.display());
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn model_mil_is_printed_as_it_was() {
    for bundle in bundles() {
        let text = std::fs::read_to_string(bundle.join("model.mil")).unwrap();
        let read = read(&text);
        assert_eq!(read.diagnostics, [], "{}", bundle.display());
        assert_eq!(print(&read.program, &Options::default()), text, "{}", bundle.display());
    }
}

#[test]
fn the_protobuf_is_printed_as_apple_compiled_it() {
    for bundle in bundles() {
        let Ok(model) = std::fs::read(bundle.join("input.mlmodel")) else { continue };
        let package = mil_codec::package::read_model(model.into())
            .unwrap_or_else(|errors| panic!("{}: {errors:?}", bundle.display()));
        let text = std::fs::read_to_string(bundle.join("model.mil")).unwrap();
        let printed = print(&package.program, &Options::default());
        assert_eq!(without_build_info(&printed), without_build_info(&text), "{}", bundle.display());
    }
}

/// The build info names the compiler, which is not ours.
fn without_build_info(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("[buildInfo")).collect::<Vec<_>>().join("\n")
}
