//! The syntax tree: what a text says, with the place of each part, before anything is looked up.
//!
//! Names borrow from the text. A part that could not be read is `None` or `Invalid`, and a diagnostic has been given
//! for it; `damaged` marks bodies in which whole statements are missing for that reason.

use mil_base::{Span, Tensor, Type};

/// A name as written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ident<'t> {
    /// The spelling.
    pub text: &'t str,
    /// Where it is.
    pub span: Span,
}

/// A whole text: `program(1.3) [attributes] { functions }`.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Program<'t> {
    /// The number in `program(…)`, if it could be read.
    pub version: Option<Version>,
    /// What stands in brackets between `program(…)` and `{`.
    pub attributes: Attributes<'t>,
    /// The functions in the order of the text.
    pub functions: Vec<Function<'t>>,
    /// First byte of the opening `{`.
    pub open: u32,
    /// First byte of the closing `}`.
    pub close: u32,
}

/// The version of a program, which says how scalars are spelt (`facts/mil-text-grammar.md` section 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Version {
    /// Before the point.
    pub major: u32,
    /// After the point.
    pub minor: u32,
    /// Where it is.
    pub span: Span,
}

/// `[name = value, …]`, or nothing.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Attributes<'t> {
    /// The pairs in the order of the text.
    pub items: Vec<Attribute<'t>>,
    /// From `[` to `]`; nothing if there are no brackets.
    pub span: Option<Span>,
}

/// `name = value`.
#[derive(Clone, PartialEq, Debug)]
pub struct Attribute<'t> {
    /// What is set.
    pub name: Ident<'t>,
    /// To what.
    pub value: Value,
}

/// `func name<opset>(params) [attributes] body`.
#[derive(Clone, PartialEq, Debug)]
pub struct Function<'t> {
    /// Its name.
    pub name: Ident<'t>,
    /// The word in angle brackets.
    pub opset: Option<Ident<'t>>,
    /// Its inputs.
    pub params: Vec<Variable<'t>>,
    /// What stands in brackets after the parameters.
    pub attributes: Attributes<'t>,
    /// Its statements and results.
    pub body: Body<'t>,
    /// From `func` to the end of the results.
    pub span: Span,
}

/// `type name`: a parameter or an output.
#[derive(Clone, PartialEq, Debug)]
pub struct Variable<'t> {
    /// The declared type.
    pub ty: TypeNode,
    /// The name it introduces.
    pub name: Ident<'t>,
}

/// A type as written.
#[derive(Clone, PartialEq, Debug)]
pub struct TypeNode {
    /// The type, if it could be read.
    pub ty: Option<Type>,
    /// Where it is.
    pub span: Span,
}

/// `{ statements } -> (results)`.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Body<'t> {
    /// The statements in order.
    pub statements: Vec<Statement<'t>>,
    /// The names given back.
    pub results: Vec<Ident<'t>>,
    /// First byte of `{`.
    pub open: u32,
    /// First byte of `}`.
    pub close: u32,
    /// Statements or results are missing from the tree because they could not be read.
    pub damaged: bool,
}

/// `outputs = op(args)[attributes] blocks;`.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement<'t> {
    /// What it defines; empty for ops without outputs.
    pub outputs: Vec<Variable<'t>>,
    /// The op.
    pub op: Ident<'t>,
    /// Its arguments in the order of the text.
    pub args: Vec<Arg<'t>>,
    /// What stands in brackets after the arguments.
    pub attributes: Attributes<'t>,
    /// Its nested blocks.
    pub blocks: Vec<Block<'t>>,
    /// From the first output (or the op) to the end, without the `;`.
    pub span: Span,
}

/// `name = binding` or `name = (bindings)`.
#[derive(Clone, PartialEq, Debug)]
pub struct Arg<'t> {
    /// The parameter it is for.
    pub name: Ident<'t>,
    /// What is passed.
    pub bindings: Bindings<'t>,
    /// All of it.
    pub span: Span,
}

/// What an argument passes.
#[derive(Clone, PartialEq, Debug)]
pub enum Bindings<'t> {
    /// One value. For a variadic parameter it means a list of one.
    One(Binding<'t>),
    /// Values in parentheses.
    Many(Vec<Binding<'t>>),
}

impl<'t> Bindings<'t> {
    /// The values, however they were written.
    pub fn as_slice(&self) -> &[Binding<'t>] {
        match self {
            Bindings::One(one) => std::slice::from_ref(one),
            Bindings::Many(many) => many,
        }
    }
}

/// One value of an argument.
#[derive(Clone, PartialEq, Debug)]
pub enum Binding<'t> {
    /// A reference to a value defined elsewhere.
    Name(Ident<'t>),
    /// A value written in place.
    Value(Value),
    /// Something that is neither; it has been reported.
    Invalid(Span),
}

/// `(params) body`: a nested block.
#[derive(Clone, PartialEq, Debug)]
pub struct Block<'t> {
    /// Its parameters.
    pub params: Vec<Variable<'t>>,
    /// Its statements and results.
    pub body: Body<'t>,
    /// From `(` to the end of the results.
    pub span: Span,
}

/// `type(literal)`.
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    /// The type as written.
    pub ty: TypeNode,
    /// The literal, read as the type says.
    pub literal: Literal,
    /// All of it.
    pub span: Span,
}

/// A literal, read as its type says.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// A scalar or tensor. Where the type says `?`, the literal's own size.
    Tensor(Tensor),
    /// The items of a list.
    List(Vec<Literal>),
    /// The items of a tuple.
    Tuple(Vec<Literal>),
    /// The pairs of a dictionary.
    Dict(Vec<(Literal, Literal)>),
    /// A constant in a weight file.
    Blob(Blob),
    /// Something that does not fit its type; it has been reported.
    Invalid,
}

/// `BLOBFILE(path = …, offset = …)`.
#[derive(Clone, PartialEq, Debug)]
pub struct Blob {
    /// The path as written, usually starting with `@model_path/`.
    pub path: String,
    /// Place of the metadata record in the file, in bytes.
    pub offset: u64,
    /// All of it.
    pub span: Span,
}
