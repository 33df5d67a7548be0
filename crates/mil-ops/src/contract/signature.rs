//! Signatures: which arguments an op takes since which opset.
//!
//! The facts are those of `facts/mil-ops.json`; a test compares every card with it when it is at hand.

use mil_base::{DTypes, Opset};

/// A signature and the opset it starts in.
#[derive(Clone, Copy, Debug)]
pub struct Version {
    /// First opset with this signature.
    pub since: Opset,
    /// The parameters.
    pub params: &'static [Param],
    /// How many outputs there are.
    pub outputs: Outputs,
}

impl Version {
    /// A signature with one output.
    pub const fn new(since: Opset, params: &'static [Param]) -> Version {
        Version { since, params, outputs: Outputs::Exactly(1) }
    }

    /// The same with another number of outputs.
    pub const fn outputs(mut self, outputs: Outputs) -> Version {
        self.outputs = outputs;
        self
    }

    /// The parameter of that name.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params.iter().find(|p| p.name == name || p.alias == Some(name))
    }
}

/// How many outputs an op has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outputs {
    /// Always that many.
    Exactly(usize),
    /// It depends on the arguments, with how in words; inference gives the number.
    Varies(&'static str),
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Another spelling that is accepted (`state` for `input` of `read_state`).
    pub alias: Option<&'static str>,
    /// What it takes.
    pub kind: ParamKind,
    /// Element types it takes; of a list or state, those of the tensors within.
    pub dtypes: DTypes,
    /// Parameters of the same group (`T`) must have the same dtype. Empty: no group.
    pub group: &'static str,
    /// May it be left out?
    pub need: Need,
    /// Must its value be known when the program is compiled?
    pub constant: bool,
}

/// What a parameter takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamKind {
    /// One tensor or scalar.
    Tensor,
    /// Several tensors, `values = (a, b)`.
    Variadic,
    /// A state.
    State,
    /// A list.
    List,
}

/// May an argument be left out?
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Need {
    /// It must be there.
    Required,
    /// It may be left out, and then means this.
    Optional(Default),
}

/// What a missing argument means.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Default {
    /// The op does without.
    Absent,
    /// An integer scalar.
    Int(i64),
    /// A float scalar.
    Float(f64),
    /// A bool scalar.
    Bool(bool),
    /// A string scalar.
    Str(&'static str),
    /// A list of integers.
    Ints(&'static [i64]),
    /// It depends on other arguments, in words; the card computes it.
    Computed(&'static str),
}

impl Param {
    /// A required tensor that may be computed at run time.
    pub const fn tensor(name: &'static str, dtypes: DTypes) -> Param {
        Param {
            name,
            alias: None,
            kind: ParamKind::Tensor,
            dtypes,
            group: "",
            need: Need::Required,
            constant: false,
        }
    }

    /// A required tensor that must be known when the program is compiled.
    pub const fn constant(name: &'static str, dtypes: DTypes) -> Param {
        let mut p = Param::tensor(name, dtypes);
        p.constant = true;
        p
    }

    /// Several tensors under one name.
    pub const fn variadic(name: &'static str, dtypes: DTypes) -> Param {
        let mut p = Param::tensor(name, dtypes);
        p.kind = ParamKind::Variadic;
        p
    }

    /// A state.
    pub const fn state(name: &'static str, dtypes: DTypes) -> Param {
        let mut p = Param::tensor(name, dtypes);
        p.kind = ParamKind::State;
        p
    }

    /// A list.
    pub const fn list(name: &'static str, dtypes: DTypes) -> Param {
        let mut p = Param::tensor(name, dtypes);
        p.kind = ParamKind::List;
        p
    }

    /// Puts it into a group of parameters with one dtype.
    pub const fn group(mut self, group: &'static str) -> Param {
        self.group = group;
        self
    }

    /// May be left out, and then means `default`.
    pub const fn or(mut self, default: Default) -> Param {
        self.need = Need::Optional(default);
        self
    }

    /// Accepts another spelling too.
    pub const fn alias(mut self, alias: &'static str) -> Param {
        self.alias = Some(alias);
        self
    }
}

/// Sets of element types that many signatures share.
pub mod sets {
    use mil_base::DType::*;
    use mil_base::DTypes;

    /// fp16, fp32.
    pub const FLOAT: DTypes = DTypes::of(&[Fp16, Fp32]);
    /// fp16, fp32, int32.
    pub const NUMBER: DTypes = DTypes::of(&[Fp16, Fp32, Int32]);
    /// fp16, fp32, int32, bool.
    pub const PLAIN: DTypes = DTypes::of(&[Fp16, Fp32, Int32, Bool]);
    /// fp16, fp32 and the integers of iOS 17: 8, 16 and 32 bits.
    pub const NUMBER_17: DTypes = DTypes::of(&[Fp16, Fp32, Int8, Int16, Int32, UInt8, UInt16]);
    /// [`NUMBER_17`] and bool.
    pub const PLAIN_17: DTypes = DTypes::of(&[Fp16, Fp32, Int8, Int16, Int32, UInt8, UInt16, Bool]);
    /// int32.
    pub const INT32: DTypes = DTypes::of(&[Int32]);
    /// bool.
    pub const BOOL: DTypes = DTypes::of(&[Bool]);
    /// string.
    pub const STRING: DTypes = DTypes::of(&[String]);
    /// Every type.
    pub const ANY: DTypes = DTypes::any();
}
