//! One name for each thing of the linked program.

use super::Part;
use mil_base::Name;
use std::collections::{HashMap, HashSet};

/// The names that are given away, and those that some program has and that are therefore not made up.
pub(super) struct Names {
    taken: HashSet<Name>,
    natural: HashSet<Name>,
    /// For each program, what its names have become. A name means one thing wherever it is seen in a program, so names
    /// can be replaced without looking at scopes.
    renamed: Vec<HashMap<Name, Name>>,
}

impl Names {
    pub(super) fn of(parts: &[Part<'_>]) -> Names {
        let values = parts.iter().flat_map(|p| p.function().values.iter());
        Names {
            taken: HashSet::new(),
            natural: values.map(|(_, v)| v.name.clone()).collect(),
            renamed: vec![HashMap::new(); parts.len()],
        }
    }

    /// A name for something of program number `part`: `name`, or `name_2` if that is taken.
    pub(super) fn fresh(&mut self, part: usize, name: &Name) -> Name {
        if self.taken.insert(name.clone()) {
            return name.clone();
        }
        let base = format!("{name}_{}", part + 1);
        let mut candidate = Name::from(base.clone());
        let mut number = 0usize;
        while self.natural.contains(&candidate) || self.taken.contains(&candidate) {
            number += 1;
            candidate = Name::from(format!("{base}_{number}"));
        }
        self.taken.insert(candidate.clone());
        candidate
    }

    /// Says that what program number `part` calls `name` is called `new`.
    pub(super) fn rename(&mut self, part: usize, name: &Name, new: Name) {
        self.renamed[part].insert(name.clone(), new);
    }

    /// What program number `part` calls `name`, in the linked program.
    pub(super) fn get(&mut self, part: usize, name: &Name) -> Name {
        if let Some(new) = self.renamed[part].get(name) {
            return new.clone();
        }
        let new = self.fresh(part, name);
        self.rename(part, name, new.clone());
        new
    }
}
