//! A set of ops as a value: what a program may use.

use crate::contract::OpDef;
use crate::ops;
use std::collections::BTreeMap;

/// The ops a program is checked against. There is no global registry: whoever checks says with which ops.
#[derive(Clone)]
pub struct OpSet {
    defs: BTreeMap<&'static str, &'static OpDef>,
}

impl OpSet {
    /// Every op with a card in this crate.
    pub fn standard() -> OpSet {
        OpSet { defs: ops::ALL.iter().map(|d| (d.name, *d)).collect() }
    }

    /// The set with one op added or replaced.
    pub fn with(mut self, def: &'static OpDef) -> OpSet {
        self.defs.insert(def.name, def);
        self
    }

    /// The card of an op.
    pub fn get(&self, name: &str) -> Option<&'static OpDef> {
        self.defs.get(name).copied()
    }

    /// All cards, by name.
    pub fn iter(&self) -> impl Iterator<Item = &'static OpDef> + '_ {
        self.defs.values().copied()
    }
}
