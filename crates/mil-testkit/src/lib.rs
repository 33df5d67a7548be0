//! Tests as data. The examples of every op's manual page are programs ([`page`], [`case`]) that run on every runtime
//! ([`engine`]) and must give the values written there ([`compare`]). [`golden`] compares output with files; [`random`]
//! makes valid programs by chaining the examples, and shrinks those that fail. [`measure`] finds how accurate the cpu runtime
//! is, [`recorded`] compares that with what the cards state.
//!
//! **What it must never know:** any concrete op. Nothing that is shipped depends on this crate.
//!
//! **Where to start reading:** `tests/cards.rs`, which uses most of it.

pub mod case;
pub mod compare;
pub mod engine;
pub mod golden;
pub mod measure;
pub mod measured;
pub mod page;
pub mod random;
pub mod recorded;

use std::path::PathBuf;

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of facts and models that is handed to developers beside the repository: `$MILWRIGHT_SHARED`, or `../shared`.
/// Prints that a test is skipped where there is none.
pub fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("MILWRIGHT_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// A number from the environment, to scale a test: `MILWRIGHT_CASES=1000 cargo test`.
pub fn scale(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}
