//! This repository against its own rules.

#[test]
fn generated_files_are_current() {
    for file in xtask::generated().expect("the cards can be read") {
        let now = std::fs::read_to_string(xtask::root().join(&file.path)).unwrap_or_default();
        assert!(now == file.text, "{} is not current: run `cargo xtask gen`", file.path.display());
    }
}

#[test]
fn the_tree_is_tidy() {
    let found = xtask::untidy().expect("the tree can be read");
    assert!(found.is_empty(), "{}", found.join("\n"));
}
