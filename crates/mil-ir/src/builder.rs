//! Making programs from nothing: what the readers, the passes and tests use.

use crate::constant::Constant;
use crate::program::{Arg, Block, BlockId, Def, Function, NamedConstant, Op, OpId, Value, ValueId};
use mil_base::{Arena, Name, Type};

/// Builds one [`Function`], op after op. It keeps definitions, owners and arenas consistent and checks nothing else.
pub struct Builder {
    function: Function,
    open: Vec<BlockId>,
}

impl Builder {
    /// A function with no parameters yet; ops go to its body.
    pub fn new(name: impl Into<Name>, opset: impl Into<Name>) -> Builder {
        let mut blocks = Arena::new();
        let body = blocks.push(Block::default());
        let function = Function {
            name: name.into(),
            opset: opset.into(),
            attributes: Vec::new(),
            body,
            blocks,
            ops: Arena::new(),
            values: Arena::new(),
        };
        Builder { function, open: vec![body] }
    }

    /// The function so far.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// The block that ops go to now.
    pub fn block(&self) -> BlockId {
        *self.open.last().expect("the body is always open")
    }

    /// Adds an attribute of the function.
    pub fn attribute(&mut self, name: impl Into<Name>, value: Constant) {
        self.function.attributes.push((name.into(), value));
    }

    /// Adds a parameter to the open block.
    pub fn param(&mut self, name: impl Into<Name>, ty: Type) -> ValueId {
        let block = self.block();
        let index = self.function.blocks[block].params.len() as u32;
        let id = self.function.values.push(Value { name: name.into(), ty, def: Def::Param(block, index) });
        self.function.blocks[block].params.push(id);
        id
    }

    /// Adds an op at the end of the open block, with its outputs.
    pub fn op(
        &mut self,
        name: impl Into<Name>,
        args: Vec<(Name, Arg)>,
        attributes: Vec<NamedConstant>,
        outputs: Vec<(Name, Type)>,
    ) -> OpId {
        let block = self.block();
        let op = self.function.ops.push(Op {
            name: name.into(),
            args,
            attributes,
            outputs: Vec::new(),
            blocks: Vec::new(),
            block,
        });
        for (index, (name, ty)) in outputs.into_iter().enumerate() {
            let id = self.function.values.push(Value { name, ty, def: Def::Output(op, index as u32) });
            self.function.ops[op].outputs.push(id);
        }
        self.function.blocks[block].ops.push(op);
        op
    }

    /// Adds a `const` op and gives its value.
    pub fn constant(&mut self, name: impl Into<Name>, value: Constant) -> ValueId {
        let name = name.into();
        let ty = value.ty.clone();
        let attributes = vec![("name".into(), Constant::string(&name)), ("val".into(), value)];
        let op = self.op("const", Vec::new(), attributes, vec![(name, ty)]);
        self.function.ops[op].outputs[0]
    }

    /// Opens a nested block of `op`; ops go there until [`Builder::close_block`].
    pub fn open_block(&mut self, op: OpId) -> BlockId {
        let block = self.function.blocks.push(Block { owner: Some(op), ..Block::default() });
        self.function.ops[op].blocks.push(block);
        self.open.push(block);
        block
    }

    /// Ends the innermost nested block. Does nothing on the body.
    pub fn close_block(&mut self, results: Vec<ValueId>) {
        let block = self.block();
        self.function.blocks[block].results = results;
        if self.open.len() > 1 {
            self.open.pop();
        }
    }

    /// The finished function, yielding `results`.
    pub fn finish(mut self, results: Vec<ValueId>) -> Function {
        let body = self.function.body;
        self.function.blocks[body].results = results;
        self.function
    }
}
