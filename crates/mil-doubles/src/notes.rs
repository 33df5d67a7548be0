//! What was called, in order: doubles note their calls, tests read them.

use std::sync::{Mutex, PoisonError};

static NOTES: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Older notes are dropped, so that a long run does not grow.
const KEPT: usize = 10_000;

/// Adds a note.
pub fn add(note: impl Into<String>) {
    let mut notes = NOTES.lock().unwrap_or_else(PoisonError::into_inner);
    if notes.len() >= KEPT {
        notes.drain(..KEPT / 2);
    }
    notes.push(note.into());
}

/// Takes every note made so far, by any thread.
pub fn take() -> Vec<String> {
    std::mem::take(&mut *NOTES.lock().unwrap_or_else(PoisonError::into_inner))
}
