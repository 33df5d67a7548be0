//! What can go wrong when a program is loaded or run.

use crate::codes;
use mil_base::{Diagnostic, Label, Place};
use mil_ops::contract::Failure;
use std::fmt;

/// Why a program was not loaded or run.
#[derive(Clone, PartialEq, Debug)]
pub enum RunError {
    /// The caller's mistakes: a function or input that does not exist, a wrong dtype or shape; or the program is not
    /// well-formed for the shapes given. All of them at once.
    Refused(Vec<Diagnostic>),
    /// An op found its values unusable while running (an index out of range).
    Op(Box<Diagnostic>),
    /// It would need more memory than allowed; nothing was allocated.
    Memory(MemoryNeed),
    /// A fault of Milwright's own, with what was found.
    Internal(String),
}

/// What a program would take, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MemoryNeed {
    /// Values, state and scratch memory of one session.
    pub arena: usize,
    /// Constants held in memory (those in a mapped weight file not counted).
    pub constants: usize,
    /// Constants in the form kernels want them.
    pub prepared: usize,
    /// What is allowed.
    pub limit: usize,
}

impl MemoryNeed {
    /// Everything together.
    pub fn total(&self) -> usize {
        self.arena.saturating_add(self.constants).saturating_add(self.prepared)
    }
}

impl RunError {
    /// One refusal.
    pub(crate) fn refused(diagnostic: Diagnostic) -> RunError {
        RunError::Refused(vec![diagnostic])
    }

    /// A fault of an op's values.
    pub(crate) fn op(failure: Failure, place: Place) -> RunError {
        let label = Label::place(place, "while running this");
        RunError::Op(Box::new(Diagnostic::error(failure.code, failure.message).label(label)))
    }

    /// A fault of ours.
    pub(crate) fn internal(message: impl Into<String>) -> RunError {
        RunError::Internal(message.into())
    }

    /// As diagnostics, for a renderer.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            RunError::Refused(all) => all.clone(),
            RunError::Op(one) => vec![(**one).clone()],
            RunError::Memory(need) => vec![Diagnostic::error(codes::MEMORY, self.to_string()).help(format!(
                "use smaller inputs, or raise the limit above {} if the machine has that much",
                bytes(need.total())
            ))],
            RunError::Internal(message) => {
                let text = format!("internal fault: {message}");
                vec![Diagnostic::error(codes::INTERNAL, text).help("please report it with the program")]
            }
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Refused(all) => {
                for (i, d) in all.iter().enumerate() {
                    write!(f, "{}{} [{}]", if i > 0 { "; " } else { "" }, d.message, d.code)?;
                    if let Some(help) = &d.help {
                        write!(f, " ({help})")?;
                    }
                }
                Ok(())
            }
            RunError::Op(d) => {
                let place = d.labels.first().and_then(|l| l.place.op_name.as_ref());
                match place {
                    Some(name) => write!(f, "at `{name}`: {} [{}]", d.message, d.code),
                    None => write!(f, "{} [{}]", d.message, d.code),
                }
            }
            RunError::Memory(need) => write!(
                f,
                "the program needs {} of memory (values {}, constants {}, prepared constants {}) and {} are allowed",
                bytes(need.total()),
                bytes(need.arena),
                bytes(need.constants),
                bytes(need.prepared),
                bytes(need.limit)
            ),
            RunError::Internal(message) => write!(f, "internal fault: {message}"),
        }
    }
}

impl std::error::Error for RunError {}

/// A size in the unit that suits it, `1.5 MiB`.
pub fn bytes(n: usize) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let (mut value, mut unit) = (n as f64, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{n} B") } else { format!("{value:.1} {}", units[unit]) }
}
