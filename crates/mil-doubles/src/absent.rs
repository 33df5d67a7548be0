//! Classes and methods that an older or newer system does not have: a test hides them, and the bridges' probe asks.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

static HIDDEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn hidden() -> MutexGuard<'static, BTreeSet<String>> {
    HIDDEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something that is hidden until this is dropped.
#[must_use = "it is back when this is dropped"]
#[derive(Debug)]
pub struct Absent(String);

/// Hides a class (`MLState`) or a method (`-[MLModel newState]`), for the whole process.
pub fn hide(name: &str) -> Absent {
    hidden().insert(name.to_owned());
    Absent(name.to_owned())
}

/// Is it hidden?
pub fn is_hidden(name: &str) -> bool {
    hidden().contains(name)
}

impl Drop for Absent {
    fn drop(&mut self) {
        hidden().remove(&self.0);
    }
}
