//! What a card must say. Nothing here knows a concrete op.
//!
//! An [`OpDef`] is read by the checker ([`OpDef::versions`], [`OpDef::infer`]), by the runtimes
//! ([`OpDef::reference`], [`OpDef::cpu`]), by the documentation and by tests. Every field is required: a power that an op
//! does not have is stated with its reason.

mod accuracy;
mod cpu;
mod infer;
mod reference;
mod signature;
mod view;

pub use accuracy::{Accuracy, Bound};
pub use cpu::{Alias, Concrete, Cpu, CpuCx, CpuKernel, CpuRule, KernelCall, PlanFn, PostOp, RunFn};
pub use infer::{Infer, Issue, Refused};
pub use reference::{RefCall, RefData, RefTensor, Reference};
pub use signature::{Default, Need, Outputs, Param, ParamKind, Version, sets};
pub use view::{Bound as BoundArg, OpView};

use mil_base::{Opset, Type};
use std::fmt;

/// Everything Milwright knows about one MIL op.
pub struct OpDef {
    /// The op's name in MIL.
    pub name: &'static str,
    /// The manual page.
    pub doc: Doc,
    /// Signatures, oldest first.
    pub versions: &'static [Version],
    /// What must hold beyond the signature; each has a failing example in the manual page.
    pub constraints: &'static [Constraint],
    /// Types of the outputs. Called only when the arguments fit the signature.
    pub infer: fn(&mut Infer<'_>) -> Result<Vec<Type>, Refused>,
    /// The definition, in f64.
    pub reference: Reference,
    /// How the CPU runtime computes it.
    pub cpu: Cpu,
    /// Its derivative.
    pub gradient: Gradient,
    /// What the Neural Engine does with it.
    pub ane: Ane,
    /// Floating-point operations of one execution, a multiply-add counting 2; nothing while shapes are unknown.
    pub cost: fn(&OpView<'_>) -> Option<u64>,
    /// How far the CPU runtime may be from the reference, given the same inputs.
    pub accuracy: Accuracy,
}

impl OpDef {
    /// The signature in force for `opset`: the latest not newer than it.
    pub fn version(&self, opset: Opset) -> Option<&'static Version> {
        self.versions.iter().rev().find(|v| v.since <= opset)
    }

    /// The constraint with that slug.
    pub fn constraint(&self, slug: &str) -> Option<&'static Constraint> {
        self.constraints.iter().find(|c| c.slug == slug)
    }
}

impl fmt::Debug for OpDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpDef({})", self.name)
    }
}

/// The text of a manual page: `name.md` beside the card, or one section (`## name`) of a family's page.
#[derive(Clone, Copy, Debug)]
pub struct Doc {
    /// The Markdown file.
    pub page: &'static str,
    /// The heading of the op's section, when the page is shared by a family.
    pub section: Option<&'static str>,
}

impl Doc {
    /// A page of the op's own.
    pub const fn page(page: &'static str) -> Doc {
        Doc { page, section: None }
    }

    /// The section headed `## section` of a family's page.
    pub const fn section(page: &'static str, section: &'static str) -> Doc {
        Doc { page, section: Some(section) }
    }

    /// The op's own text.
    pub fn text(&self) -> &'static str {
        let Some(section) = self.section else { return self.page };
        let heading = |line: &str| line.strip_prefix("## ").map(str::trim) == Some(section);
        let mut start = None;
        let mut at = 0;
        for line in self.page.split_inclusive('\n') {
            match start {
                None if heading(line) => start = Some(at),
                Some(begin) if line.starts_with("## ") => return &self.page[begin..at],
                _ => {}
            }
            at += line.len();
        }
        start.map_or("", |begin| &self.page[begin..])
    }
}

/// A rule an op's arguments must keep, by a name that code, diagnostics, docs and tests share.
#[derive(Clone, Copy, Debug)]
pub struct Constraint {
    /// `op/rule-in-words`.
    pub slug: &'static str,
    /// The rule as a sentence, and where it is from if it is not evident.
    pub rule: &'static str,
}

/// An op's derivative.
#[derive(Clone, Copy, Debug)]
pub enum Gradient {
    /// Zero almost everywhere, or no path from an input (`floor`, `shape`).
    Zero,
    /// Not differentiable, with the reason.
    None(&'static str),
    /// Not written yet, with what waits for it. Counted by the status page.
    Todo(&'static str),
}

/// What the Neural Engine does with an op.
#[derive(Clone, Copy, Debug)]
pub enum Ane {
    /// Never runs there, with the reason.
    Never(&'static str),
    /// Not written yet, with what waits for it. Counted by the status page.
    Todo(&'static str),
}

/// Why an op could not be planned or executed: the values, not the program's text, are wrong.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// A slug path, `gather/index-in-range`.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
}

impl Failure {
    /// A failure with this slug and sentence.
    pub fn new(code: &'static str, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.code)
    }
}

impl std::error::Error for Failure {}
