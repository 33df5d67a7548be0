//! Chores of the repository. `gen` writes the card indexes; `tidy` and `new-card` keep the layout.
//!
//! **Where to start reading:** [`cards`], which writes the index of the op cards.

pub mod cards;

use std::path::PathBuf;

/// The repository's root folder.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}

/// A file that `gen` writes, with its path from the root and its text.
pub struct Generated {
    /// Path from the repository's root.
    pub path: PathBuf,
    /// What the file must hold.
    pub text: String,
}

/// Every generated file, as it should be now.
pub fn generated() -> std::io::Result<Vec<Generated>> {
    [cards::OPS, cards::LINTS].iter().map(|kind| cards::index(&root(), kind)).collect()
}
