//! One way to read a card's parameters, from a program being checked and from an execution.

use crate::contract::{OpView, RefCall};

/// The parameters of an op by name, defaults applied; `None` when unknown or of another kind.
pub(crate) trait Args {
    /// Is the argument written?
    fn given(&self, name: &str) -> bool;
    /// An integer.
    fn get_int(&self, name: &str) -> Option<i64>;
    /// A float.
    fn get_float(&self, name: &str) -> Option<f64>;
    /// A bool.
    fn get_bool(&self, name: &str) -> Option<bool>;
    /// A string.
    fn get_str(&self, name: &str) -> Option<String>;
    /// Integers.
    fn get_ints(&self, name: &str) -> Option<Vec<i64>>;
}

impl Args for OpView<'_> {
    fn given(&self, name: &str) -> bool {
        self.has(name)
    }
    fn get_int(&self, name: &str) -> Option<i64> {
        self.int(name)
    }
    fn get_float(&self, name: &str) -> Option<f64> {
        self.float(name)
    }
    fn get_bool(&self, name: &str) -> Option<bool> {
        self.bool(name)
    }
    fn get_str(&self, name: &str) -> Option<String> {
        self.str(name)
    }
    fn get_ints(&self, name: &str) -> Option<Vec<i64>> {
        self.ints(name)
    }
}

impl Args for RefCall<'_> {
    fn given(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
    fn get_int(&self, name: &str) -> Option<i64> {
        self.int(name).ok()
    }
    fn get_float(&self, name: &str) -> Option<f64> {
        self.float(name).ok()
    }
    fn get_bool(&self, name: &str) -> Option<bool> {
        self.bool(name).ok()
    }
    fn get_str(&self, name: &str) -> Option<String> {
        self.str(name).ok()
    }
    fn get_ints(&self, name: &str) -> Option<Vec<i64>> {
        self.ints(name).ok()
    }
}
