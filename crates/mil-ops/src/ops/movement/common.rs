//! What the cards of this family share.

use crate::contract::{Param, sets};
use mil_base::{DType, DTypes};

/// The integers that may hold sizes and indices from iOS 17 on.
pub const INDEX_17: DTypes = DTypes::of(&[DType::Int8, DType::Int16, DType::Int32]);

/// The tensor whose elements are moved: before iOS 17, and later in ops that iOS 17 left alone.
pub const X: Param = Param::tensor("x", sets::PLAIN).group("T");
/// The tensor whose elements are moved, from iOS 17 on.
pub const X_17: Param = Param::tensor("x", sets::PLAIN_17).group("T");

/// A broken rule found by code that inference and execution share.
#[derive(Clone, PartialEq, Debug)]
pub struct Problem {
    /// The constraint.
    pub slug: &'static str,
    /// What is wrong, with the numbers.
    pub message: String,
    /// The remedy.
    pub help: &'static str,
}

impl Problem {
    /// A broken rule.
    pub fn new(slug: &'static str, message: impl Into<String>, help: &'static str) -> Problem {
        Problem { slug, message: message.into(), help }
    }

    /// As inference reports it.
    pub fn refuse(self, cx: &mut crate::contract::Infer<'_>, argument: &str) -> crate::contract::Refused {
        cx.refuse(self.slug, argument, self.message, self.help)
    }
}

impl From<Problem> for crate::contract::Failure {
    fn from(problem: Problem) -> Self {
        crate::contract::Failure::new(problem.slug, problem.message)
    }
}
