//! One op of a program with what is known about its arguments: what cards look through.

use super::signature::{Default, Need, Version};
use super::{OpDef, Param};
use mil_base::{Tensor, TensorType, Type};
use mil_ir::{Binding, Constant, Function, Op, OpId, Program, ValueId};

/// An op, its card, and side tables by value index. Cheap to make.
///
/// Arguments are found in the op's arguments first and then in its attributes, where iOS 16 `constexpr_*` ops and
/// `const` have theirs. A missing argument with a default in the signature reads as that default.
#[derive(Clone, Copy)]
pub struct OpView<'a> {
    /// The card.
    pub def: &'static OpDef,
    /// The signature in force.
    pub version: &'static Version,
    /// The program, for constants in weight files.
    pub program: &'a Program,
    /// The function the op is in.
    pub function: &'a Function,
    /// The op.
    pub id: OpId,
    /// Types by value index, as far as they are known.
    pub types: &'a [Option<Type>],
    /// Contents by value index, of values known before execution.
    pub known: &'a [Option<Tensor>],
}

impl<'a> OpView<'a> {
    /// The op.
    pub fn op(&self) -> &'a Op {
        &self.function.ops[self.id]
    }

    /// Is the argument there? A default does not count.
    pub fn has(&self, name: &str) -> bool {
        !self.bindings(name).is_empty()
    }

    /// The bindings of an argument; an attribute counts as one immediate binding.
    pub fn bindings(&self, name: &str) -> Vec<Bound<'a>> {
        let op = self.op();
        let alias = self.version.param(name).and_then(|p| p.alias);
        for name in std::iter::once(name).chain(alias) {
            if let Some(arg) = op.arg(name) {
                return arg.0.iter().map(Bound::from).collect();
            }
            if let Some(constant) = op.attribute(name).filter(|_| name != "name") {
                return vec![Bound::Constant(constant)];
            }
        }
        Vec::new()
    }

    /// The value an argument refers to, if it is one reference.
    pub fn value(&self, name: &str) -> Option<ValueId> {
        match self.bindings(name).as_slice() {
            [Bound::Value(v)] => Some(*v),
            _ => None,
        }
    }

    /// The type of an argument with one binding.
    pub fn any_ty(&self, name: &str) -> Option<&'a Type> {
        match self.bindings(name).as_slice() {
            [one] => self.bound_ty(*one),
            _ => None,
        }
    }

    /// The tensor type of an argument with one binding.
    pub fn ty(&self, name: &str) -> Option<&'a TensorType> {
        self.any_ty(name).and_then(Type::as_tensor)
    }

    /// The tensor types of every binding of an argument, in order; shorter if one is no tensor.
    pub fn tys(&self, name: &str) -> Vec<&'a TensorType> {
        self.bindings(name).into_iter().map_while(|b| self.bound_ty(b)?.as_tensor()).collect()
    }

    fn bound_ty(&self, bound: Bound<'a>) -> Option<&'a Type> {
        match bound {
            Bound::Value(v) => self.types.get(v.index())?.as_ref(),
            Bound::Constant(c) => Some(&c.ty),
        }
    }

    /// The contents of an argument, if known before execution. Defaults do not count.
    pub fn tensor(&self, name: &str) -> Option<Tensor> {
        match self.bindings(name).as_slice() {
            [one] => self.bound_tensor(*one),
            _ => None,
        }
    }

    /// The contents of every binding of an argument, if all are known.
    pub fn tensors(&self, name: &str) -> Option<Vec<Tensor>> {
        self.bindings(name).into_iter().map(|b| self.bound_tensor(b)).collect()
    }

    fn bound_tensor(&self, bound: Bound<'a>) -> Option<Tensor> {
        match bound {
            Bound::Value(v) => self.known.get(v.index())?.clone(),
            Bound::Constant(c) => self.program.tensor(c),
        }
    }

    fn default(&self, name: &str) -> Option<Default> {
        match self.version.param(name).map(|p: &Param| p.need) {
            Some(Need::Optional(default)) => Some(default),
            _ => None,
        }
    }

    /// An integer scalar (or one-element tensor), or its default.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.has(name) {
            true => self.tensor(name)?.item_i64(),
            false => match self.default(name)? {
                Default::Int(v) => Some(v),
                _ => None,
            },
        }
    }

    /// A float scalar (or one-element tensor), or its default.
    pub fn float(&self, name: &str) -> Option<f64> {
        match self.has(name) {
            true => self.tensor(name)?.item_f64(),
            false => match self.default(name)? {
                Default::Float(v) => Some(v),
                Default::Int(v) => Some(v as f64),
                _ => None,
            },
        }
    }

    /// A bool scalar (or one-element tensor), or its default.
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.has(name) {
            true => self.tensor(name)?.item_bool(),
            false => match self.default(name)? {
                Default::Bool(v) => Some(v),
                _ => None,
            },
        }
    }

    /// A string scalar, or its default.
    pub fn str(&self, name: &str) -> Option<String> {
        match self.has(name) {
            true => self.tensor(name)?.item_str().map(str::to_owned),
            false => match self.default(name)? {
                Default::Str(v) => Some(v.to_owned()),
                _ => None,
            },
        }
    }

    /// The integers of a tensor in row-major order, or its default.
    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        match self.has(name) {
            true => self.tensor(name).map(|t| t.to_i64()),
            false => match self.default(name)? {
                Default::Ints(v) => Some(v.to_vec()),
                Default::Int(v) => Some(vec![v]),
                _ => None,
            },
        }
    }

    /// The bools of a tensor in row-major order.
    pub fn bools(&self, name: &str) -> Option<Vec<bool>> {
        self.tensor(name).map(|t| t.to_i64().into_iter().map(|v| v != 0).collect())
    }

    /// The inferred (or declared) types of the outputs, as far as known and tensors.
    pub fn outputs(&self) -> Vec<Option<&'a TensorType>> {
        let ty = |v: &ValueId| self.types.get(v.index())?.as_ref()?.as_tensor();
        self.op().outputs.iter().map(ty).collect()
    }
}

/// What one binding of an argument is, wherever it was written.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'a> {
    /// A value defined before.
    Value(ValueId),
    /// An immediate value, or an attribute.
    Constant(&'a Constant),
}

impl<'a> From<&'a Binding> for Bound<'a> {
    fn from(binding: &'a Binding) -> Self {
        match binding {
            Binding::Value(v) => Bound::Value(*v),
            Binding::Constant(c) => Bound::Constant(c),
        }
    }
}
