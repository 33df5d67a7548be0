//! Where the parts of a program came from in its text: a side table, empty for programs read from protobuf.

use crate::program::{Function, FunctionId, OpId, Program, ValueId};
use mil_base::{Name, Place, Span};
use std::collections::HashMap;

/// Spans of one function.
#[derive(Clone, Debug, Default)]
pub struct SpanTable {
    /// The function's name.
    pub name: Span,
    /// Name of each value where it is defined, by value index.
    pub values: Vec<Span>,
    /// The name of each op (`layer_norm`), by op index.
    pub ops: Vec<Span>,
    /// Arguments and attributes, by op index and name.
    pub args: HashMap<(u32, Name), Span>,
}

/// Spans of a whole program, by function index.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// One table a function; shorter than the functions for programs without text.
    pub functions: Vec<SpanTable>,
}

impl Origins {
    /// The span of an op's name.
    pub fn op(&self, function: FunctionId, op: OpId) -> Option<Span> {
        self.functions.get(function.index())?.ops.get(op.index()).copied()
    }

    /// The span of a value's definition.
    pub fn value(&self, function: FunctionId, value: ValueId) -> Option<Span> {
        self.functions.get(function.index())?.values.get(value.index()).copied()
    }

    /// The span of an argument or attribute.
    pub fn arg(&self, function: FunctionId, op: OpId, name: &str) -> Option<Span> {
        let table = self.functions.get(function.index())?;
        table.args.get(&(op.index() as u32, Name::new(name))).copied()
    }
}

impl Function {
    /// The [`Place`] of an op of this function, for a diagnostic.
    pub fn place(&self, op: OpId) -> Place {
        let name = self.ops.get(op).map(|o| match o.outputs.first() {
            Some(&v) => self.values[v].name.clone(),
            None => o.name.clone(),
        });
        Place {
            function: Some(self.name.clone()),
            op: Some(op.index() as u32),
            op_name: name,
            argument: None,
        }
    }
}

impl Program {
    /// The [`Place`] of an op, for a diagnostic.
    pub fn place(&self, function: FunctionId, op: OpId) -> Place {
        self.functions[function].place(op)
    }
}
