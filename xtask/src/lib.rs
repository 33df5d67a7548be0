//! Chores of the repository. `gen` writes the card indexes; `tidy` checks the layout; `new-card` writes a card to start
//! from.
//!
//! **What it must never know:** what a card says. It reads names and places only.
//!
//! **Where to start reading:** [`cards`], which writes the index of the op cards.

pub mod book;
pub mod cards;
pub mod links;
pub mod new_card;
pub mod tidy;

use std::path::{Path, PathBuf};

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
    generated_in(&root())
}

/// Every generated file of the tree under `root`, as it should be now.
pub fn generated_in(root: &Path) -> std::io::Result<Vec<Generated>> {
    let chapter = std::iter::once_with(|| book::experiments(root));
    cards::KINDS.iter().map(|kind| cards::index(root, kind)).chain(chapter).collect()
}

/// Everything that breaks a rule of the layout, one line each.
pub fn untidy() -> Result<Vec<String>, String> {
    let root = root();
    let mut found = tidy::tidy(&root).map_err(|e| e.to_string())?;
    found.extend(links::broken(&root).map_err(|e| e.to_string())?);
    let page = root.join("ARCHITECTURE.md");
    let architecture = std::fs::read_to_string(&page).map_err(|e| format!("{}: {e}", page.display()))?;
    found.extend(tidy::map(&architecture, &tidy::crates(&root)?));
    Ok(found)
}
