//! What a card's type inference sees and how it reports what is wrong.

use super::view::OpView;
use mil_base::{Name, Shape, TensorType, Type};
use std::ops::Deref;

/// Something wrong with one op's arguments. The checker adds place, span and severity.
#[derive(Clone, PartialEq, Debug)]
pub struct Issue {
    /// The slug of the constraint.
    pub code: &'static str,
    /// The argument, if it is one.
    pub argument: Option<Name>,
    /// One sentence, no final stop.
    pub message: String,
    /// The remedy.
    pub help: Option<String>,
}

/// Proof that an [`Issue`] was reported: what a failed inference returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused(());

/// An [`OpView`] that collects issues. Inference sees the arguments only, never the declared output types.
pub struct Infer<'a> {
    view: OpView<'a>,
    issues: Vec<Issue>,
}

impl<'a> Infer<'a> {
    /// Inference of one op.
    pub fn new(view: OpView<'a>) -> Infer<'a> {
        Infer { view, issues: Vec::new() }
    }

    /// The op.
    pub fn view(&self) -> OpView<'a> {
        self.view
    }

    /// The card's constraint `op/rule`, for rules that a family shares.
    pub fn slug(&self, rule: &str) -> &'static str {
        let ends = |slug: &str| slug.split_once('/').is_some_and(|(_, r)| r == rule);
        let found = self.view.def.constraints.iter().find(|c| ends(c.slug));
        found.map_or("op/constraint-not-listed", |c| c.slug)
    }

    /// Everything reported.
    pub fn into_issues(self) -> Vec<Issue> {
        self.issues
    }

    /// Reports a broken constraint of an argument, and goes on. `slug` must be one of the card's constraints.
    pub fn report(
        &mut self,
        slug: &'static str,
        argument: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let (help, argument) = (help.into(), (!argument.is_empty()).then(|| Name::new(argument)));
        self.issues.push(Issue {
            code: slug,
            argument,
            message: message.into(),
            help: (!help.is_empty()).then_some(help),
        });
    }

    /// Reports a broken constraint and gives up: `return Err(cx.refuse(..))`.
    pub fn refuse(
        &mut self,
        slug: &'static str,
        argument: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Refused {
        self.report(slug, argument, message, help);
        Refused(())
    }

    /// The tensor type of a required argument.
    pub fn need(&mut self, name: &str) -> Result<&'a TensorType, Refused> {
        match self.view.ty(name) {
            Some(ty) => Ok(ty),
            None => Err(self.unknown(name)),
        }
    }

    /// Refuses because a compile-time value that the signature asks for is not known.
    pub fn unknown(&mut self, name: &str) -> Refused {
        let op = self.view.def.name;
        self.refuse(
            "op/argument-unreadable",
            name,
            format!("the value of `{name}` cannot be read as what `{op}` takes"),
            "make it a const of the type the op's page states; if it is in a weight file, the file must be there",
        )
    }

    /// A required compile-time integer (or its default).
    pub fn need_int(&mut self, name: &str) -> Result<i64, Refused> {
        self.view.int(name).ok_or_else(|| self.unknown(name))
    }

    /// A required compile-time bool (or its default).
    pub fn need_bool(&mut self, name: &str) -> Result<bool, Refused> {
        self.view.bool(name).ok_or_else(|| self.unknown(name))
    }

    /// Required compile-time integers (or their default).
    pub fn need_ints(&mut self, name: &str) -> Result<Vec<i64>, Refused> {
        self.view.ints(name).ok_or_else(|| self.unknown(name))
    }

    /// A required compile-time string (or its default).
    pub fn need_str(&mut self, name: &str) -> Result<String, Refused> {
        self.view.str(name).ok_or_else(|| self.unknown(name))
    }

    /// An axis in `-rank..rank` as `0..rank`, or the constraint `slug` is broken.
    pub fn axis(&mut self, slug: &'static str, name: &str, axis: i64, rank: usize) -> Result<usize, Refused> {
        let rank_i = rank as i64;
        if (-rank_i..rank_i).contains(&axis) {
            return Ok((if axis < 0 { axis + rank_i } else { axis }) as usize);
        }
        let range = if rank == 0 {
            "a scalar has no axes".to_owned()
        } else {
            format!("axes of a rank {rank} tensor are {} to {}", -rank_i, rank_i - 1)
        };
        Err(self.refuse(slug, name, format!("axis {axis} is out of range"), range))
    }

    /// One tensor output.
    pub fn one(&self, dtype: mil_base::DType, shape: Shape) -> Result<Vec<Type>, Refused> {
        Ok(vec![Type::tensor(dtype, shape)])
    }
}

impl<'a> Deref for Infer<'a> {
    type Target = OpView<'a>;
    fn deref(&self) -> &OpView<'a> {
        &self.view
    }
}
