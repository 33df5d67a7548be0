//! The behaviours that are modelled, each with a switch, so that a test can break one and see who notices.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Something the frameworks are documented to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Behaviour {
    /// Its name, `ane/alphabetical-inputs`.
    pub slug: &'static str,
    /// What the double does, in a sentence.
    pub says: &'static str,
    /// Where that is known from.
    pub source: &'static str,
}

/// Every behaviour of every double.
pub fn all() -> impl Iterator<Item = &'static Behaviour> {
    TABLES.iter().copied().flatten()
}

/// One table for each family of doubles, beside its code.
const TABLES: &[&[Behaviour]] =
    &[crate::behaviours::ane::TABLE, crate::behaviours::coreml::TABLE, crate::e5rt::BEHAVIOURS];

static BROKEN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

fn broken() -> MutexGuard<'static, BTreeSet<&'static str>> {
    BROKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does the double behave as documented in this respect?
pub fn is_on(slug: &str) -> bool {
    !broken().contains(slug)
}

/// A behaviour that is broken until this is dropped.
#[must_use = "the behaviour is mended when this is dropped"]
#[derive(Debug)]
pub struct Broken(&'static str);

/// Breaks a behaviour, for the whole process. Nothing if there is none of that name.
pub fn break_one(slug: &str) -> Option<Broken> {
    let known = all().find(|b| b.slug == slug)?;
    broken().insert(known.slug);
    Some(Broken(known.slug))
}

impl Drop for Broken {
    fn drop(&mut self) {
        broken().remove(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_unique_and_sourced() {
        let mut seen = BTreeSet::new();
        for b in all() {
            assert!(seen.insert(b.slug), "`{}` stands twice", b.slug);
            assert!(!b.says.is_empty() && !b.source.is_empty(), "`{}` lacks words", b.slug);
        }
    }

    #[test]
    fn an_unknown_behaviour_cannot_be_broken() {
        assert!(break_one("no/such").is_none());
    }
}
