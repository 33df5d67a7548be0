//! Programs, functions, blocks, ops and values.

use crate::constant::{Blob, BlobId, Constant, Payload};
use mil_base::{Arena, Id, Name, Tensor, Type};

/// Identifies a [`Function`] of a program.
pub type FunctionId = Id<Function>;
/// Identifies a [`Block`] of a function.
pub type BlockId = Id<Block>;
/// Identifies an [`Op`] of a function.
pub type OpId = Id<Op>;
/// Identifies a [`Value`] of a function.
pub type ValueId = Id<Value>;

/// A constant under a name: an attribute of a program, function or op.
pub type NamedConstant = (Name, Constant);

/// A whole ML Program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Version of the text format, `(1, 0)` or `(1, 3)`; it selects the dialect when printed and nothing else.
    pub version: (u32, u32),
    /// Attributes of the program (`buildInfo`).
    pub attributes: Vec<NamedConstant>,
    /// The functions, in the order written.
    pub functions: Arena<Function>,
    /// Every constant that lives in a weight file.
    pub blobs: Arena<Blob>,
}

impl Program {
    /// The function of that name.
    pub fn function(&self, name: &str) -> Option<FunctionId> {
        self.functions.iter().find(|(_, f)| f.name == *name).map(|(id, _)| id)
    }

    /// The function that runs when none is named: `main`, or the only one (`facts/mil-text-grammar.md` section 4).
    pub fn default_function(&self) -> Option<FunctionId> {
        self.function("main").or_else(|| match self.functions.len() {
            1 => self.functions.ids().next(),
            _ => None,
        })
    }

    /// The tensor a constant stands for: its own, or a view of the weight file. Nothing if it is no tensor, the file
    /// is not at hand, or its size disagrees with the type.
    pub fn tensor(&self, constant: &Constant) -> Option<Tensor> {
        match &constant.payload {
            Payload::Tensor(t) => Some(t.clone()),
            Payload::Blob(id) => self.blob_tensor(*id, constant),
            _ => None,
        }
    }

    fn blob_tensor(&self, id: BlobId, constant: &Constant) -> Option<Tensor> {
        let ty = constant.ty.as_tensor()?;
        let bytes = self.blobs.get(id)?.data.clone()?;
        Tensor::from_bytes(ty.dtype, &ty.shape.sizes()?, bytes).ok()
    }
}

/// One function: its own arenas, so that functions are independent.
#[derive(Clone, Debug)]
pub struct Function {
    /// The function's name.
    pub name: Name,
    /// The op set as written, `ios17` or `CoreML7`; the checker understands it.
    pub opset: Name,
    /// Attributes (`FlexibleShapeInformation`).
    pub attributes: Vec<NamedConstant>,
    /// The outermost block; its parameters are the function's.
    pub body: BlockId,
    /// All blocks, nested ones included.
    pub blocks: Arena<Block>,
    /// All ops, nested ones included.
    pub ops: Arena<Op>,
    /// All values, nested ones included.
    pub values: Arena<Value>,
}

impl Function {
    /// The function's parameters.
    pub fn params(&self) -> &[ValueId] {
        &self.blocks[self.body].params
    }

    /// The values the function returns; their names are the names of the model's outputs.
    pub fn outputs(&self) -> &[ValueId] {
        &self.blocks[self.body].results
    }
}

/// A sequence of ops. Values defined in an enclosing block may be used in it.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Values the block receives.
    pub params: Vec<ValueId>,
    /// The ops, in order of execution.
    pub ops: Vec<OpId>,
    /// Values the block yields.
    pub results: Vec<ValueId>,
    /// The op that owns the block; none for a function's body.
    pub owner: Option<OpId>,
}

/// One operation. The IR does not know what its name means: unknown ops survive a round trip.
#[derive(Clone, Debug)]
pub struct Op {
    /// The kind of op, `layer_norm`.
    pub name: Name,
    /// Arguments, in the order written.
    pub args: Vec<(Name, Arg)>,
    /// Attributes (`name`, a const's `val`, the parameters of iOS 16 `constexpr_*` ops).
    pub attributes: Vec<NamedConstant>,
    /// The values it defines.
    pub outputs: Vec<ValueId>,
    /// Nested blocks: `cond` has [true, false], `while_loop` [condition, body].
    pub blocks: Vec<BlockId>,
    /// The block it stands in.
    pub block: BlockId,
}

impl Op {
    /// The argument of that name.
    pub fn arg(&self, name: &str) -> Option<&Arg> {
        self.args.iter().find(|(n, _)| n == name).map(|(_, a)| a)
    }

    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&Constant> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, c)| c)
    }

    /// The op's name in the source model (attribute `name`).
    pub fn label(&self) -> Option<&str> {
        self.attribute("name").and_then(Constant::as_str)
    }
}

/// An argument: one binding, or several for a variadic one (`values = (a, b)`).
#[derive(Clone, PartialEq, Debug)]
pub struct Arg(pub Vec<Binding>);

impl Arg {
    /// An argument bound to one value.
    pub fn value(id: ValueId) -> Arg {
        Arg(vec![Binding::Value(id)])
    }

    /// An argument with an immediate value.
    pub fn constant(constant: Constant) -> Arg {
        Arg(vec![Binding::Constant(constant)])
    }

    /// The only binding, if there is exactly one.
    pub fn single(&self) -> Option<&Binding> {
        match self.0.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// What an argument is bound to.
#[derive(Clone, PartialEq, Debug)]
pub enum Binding {
    /// A value defined before.
    Value(ValueId),
    /// An immediate value.
    Constant(Constant),
}

/// A value: a block's parameter or an op's output. Assigned once.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its name; unique within the function for values of one scope.
    pub name: Name,
    /// The declared type.
    pub ty: Type,
    /// Where it is defined.
    pub def: Def,
}

/// Where a [`Value`] is defined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Def {
    /// Parameter number `.1` of a block.
    Param(BlockId, u32),
    /// Output number `.1` of an op.
    Output(OpId, u32),
}
