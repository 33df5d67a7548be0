//! Which names mean which values, block in block.

use ahash::AHashMap;
use mil_base::Span;
use mil_ir::ValueId;

/// What a name means.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// The value; nothing if its definition was wrong and has been reported.
    pub(super) value: Option<ValueId>,
    /// Where it was defined.
    pub(super) span: Span,
}

/// The open blocks, innermost last.
#[derive(Default)]
pub(super) struct Scope<'t> {
    blocks: Vec<AHashMap<&'t str, Entry>>,
    /// Statements are missing from a body that is open, so a missing name may be theirs.
    pub(super) damaged: bool,
}

impl<'t> Scope<'t> {
    pub(super) fn open(&mut self) {
        self.blocks.push(AHashMap::new());
    }

    pub(super) fn close(&mut self) {
        self.blocks.pop();
    }

    /// Defines a name in the innermost block; gives the earlier entry if it has one there.
    pub(super) fn define(&mut self, name: &'t str, entry: Entry) -> Option<Entry> {
        let block = self.blocks.last_mut()?;
        if let Some(earlier) = block.get(name) {
            return Some(*earlier);
        }
        block.insert(name, entry);
        None
    }

    pub(super) fn find(&self, name: &str) -> Option<Entry> {
        self.blocks.iter().rev().find_map(|block| block.get(name)).copied()
    }

    /// The visible name most like `name`, if one is close. Long names are not compared: that takes the product of the
    /// lengths.
    pub(super) fn nearest(&self, name: &str) -> Option<&'t str> {
        if name.len() > 100 {
            return None;
        }
        let limit = (name.len() / 3).clamp(1, 4);
        let similar = |other: &&'t str| other.len().abs_diff(name.len()) <= limit;
        self.blocks
            .iter()
            .flat_map(|block| block.keys().copied())
            .filter(similar)
            .map(|other| (strsim::damerau_levenshtein(name, other), other))
            .filter(|(distance, _)| *distance <= limit)
            .min()
            .map(|(_, other)| other)
    }
}
