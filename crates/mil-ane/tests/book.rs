//! The generated pages of the book are current. `BLESS=1` writes them.

use std::path::Path;

#[track_caller]
fn current(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/book").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "docs/book/{name} is not current: BLESS=1 cargo test -p mil-ane --test book");
}

#[test]
fn the_catalogue() {
    current("catalogue.md", &mil_ane::catalogue::page());
}

#[test]
fn the_errors() {
    current("errors.md", &mil_ane::errors::page());
}
