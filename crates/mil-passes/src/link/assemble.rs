//! The joined program: the functions of the programs copied into one, one after another.

use super::names::Names;
use super::shapes::{FLEXIBLE_SHAPES, Shapes};
use super::weights::{Moves, Weights};
use super::wiring::Wiring;
use super::{Feed, Origin, Part, Problem};
use crate::codes;
use mil_base::{DType, Diagnostic, Name, Opset, Type};
use mil_ir::{
    Arg, Binding, Block, BlockId, Builder, Constant, Def, Function, NamedConstant, Op, OpId, Program, Value,
    ValueId, ops_in_order,
};
use std::collections::{HashMap, HashSet};

/// The joined program, not yet checked.
pub(super) struct Assembled {
    pub(super) program: Program,
    /// The program and op that each op comes from; nothing for those that were inserted.
    pub(super) ops: Vec<Option<(usize, OpId)>>,
    /// Where each output of the function comes from.
    pub(super) outputs: Vec<Origin>,
    pub(super) warnings: Vec<Problem>,
}

/// Copies the programs into one function `main`.
pub(super) fn assemble(parts: &[Part<'_>], wiring: &Wiring, opset: Opset) -> Assembled {
    let mut joiner = Joiner::new(parts, wiring, opset);
    let (mut shapes, mut warnings) = (Shapes::default(), Vec::new());
    for (number, part) in parts.iter().enumerate() {
        joiner.part(number, part);
        if !shapes.add(part.function(), &joiner.inputs_of(number)) {
            let message = format!("the enumerated shapes of `{}` were left out", part.file);
            let help = "give the program shapes that its parts accept together";
            let warning = Diagnostic::warning(codes::SHAPES_LEFT_OUT, message).help(help);
            warnings.push(Problem::new(parts, number, None, warning));
        }
    }
    let outputs = joiner.results();
    let Joiner { mut function, attributes, weights, ops, .. } = joiner;
    function.attributes.extend(shapes.attribute().map(|constant| (FLEXIBLE_SHAPES.into(), constant)));
    let mut program = Program {
        version: parts.iter().map(|p| p.checked.program().version).max().unwrap_or((1, 3)),
        attributes,
        blobs: weights.blobs,
        ..Program::default()
    };
    program.functions.push(function);
    Assembled { program, ops, outputs, warnings }
}

struct Joiner<'a> {
    parts: &'a [Part<'a>],
    wiring: &'a Wiring,
    function: Function,
    attributes: Vec<NamedConstant>,
    weights: Weights,
    names: Names,
    /// The names of the linked function's parameters and outputs.
    param_names: Vec<Name>,
    output_names: Vec<Name>,
    ops: Vec<Option<(usize, OpId)>>,
    /// For each program, the new values of its function's outputs.
    given: Vec<Vec<ValueId>>,
    /// Conversions made so far, so that two inputs that want the same share it.
    casts: HashMap<(ValueId, DType), ValueId>,
}

impl<'a> Joiner<'a> {
    fn new(parts: &'a [Part<'a>], wiring: &'a Wiring, opset: Opset) -> Joiner<'a> {
        let mut names = Names::of(parts);
        let mut builder = Builder::new("main", opset.text());
        let mut param_names = Vec::with_capacity(wiring.params.len());
        for at in &wiring.params {
            let function = parts[at.part].function();
            let value = &function.values[function.params()[at.port]];
            let name = names.fresh(at.part, &value.name);
            builder.param(name.clone(), value.ty.clone());
            param_names.push(name);
        }
        let mut joiner = Joiner {
            parts,
            wiring,
            function: builder.finish(Vec::new()),
            attributes: Vec::new(),
            weights: Weights::default(),
            names,
            param_names,
            output_names: Vec::new(),
            ops: Vec::new(),
            given: Vec::new(),
            casts: HashMap::new(),
        };
        joiner.name_outputs();
        joiner
    }

    /// Gives the outputs their names before anything else has any; those of the last program go first.
    fn name_outputs(&mut self) {
        let outputs = &self.wiring.outputs;
        let last = self.parts.len() - 1;
        self.output_names = vec![Name::new(""); outputs.len()];
        for of_last in [true, false] {
            for (index, at) in outputs.iter().enumerate().filter(|(_, at)| (at.part == last) == of_last) {
                let function = self.parts[at.part].function();
                let value = function.outputs()[at.port];
                let name = &function.values[value].name;
                if self.is_own_param(*at) {
                    self.output_names[index] = self.param_name(*at, value).clone();
                    continue;
                }
                let twin =
                    outputs[..index].iter().position(|o| o.part == at.part && self.value_of(*o) == value);
                let new = match twin.map(|t| self.output_names[t].clone()).filter(|n| !n.is_empty()) {
                    Some(name) => name,
                    None => self.names.fresh(at.part, name),
                };
                if !self.is_param(value, function) {
                    self.names.rename(at.part, name, new.clone());
                }
                self.output_names[index] = new;
            }
        }
    }

    fn value_of(&self, at: Origin) -> ValueId {
        self.parts[at.part].function().outputs()[at.port]
    }

    fn is_param(&self, value: ValueId, function: &Function) -> bool {
        matches!(function.values[value].def, Def::Param(block, _) if block == function.body)
    }

    /// Is this output an input of its program that is an input of the linked one, made for that program?
    fn is_own_param(&self, at: Origin) -> bool {
        let function = self.parts[at.part].function();
        match function.values[self.value_of(at)].def {
            Def::Param(block, port) if block == function.body => {
                let origin = Origin { part: at.part, port: port as usize };
                self.wiring.params.contains(&origin)
            }
            _ => false,
        }
    }

    fn param_name(&self, at: Origin, value: ValueId) -> &Name {
        let function = self.parts[at.part].function();
        let origin = match function.values[value].def {
            Def::Param(_, port) => {
                self.wiring.params.iter().position(|p| *p == Origin { part: at.part, port: port as usize })
            }
            Def::Output(..) => None,
        };
        origin.and_then(|i| self.param_names.get(i)).unwrap_or(&function.values[value].name)
    }

    /// The new names of a program's inputs that are inputs of the linked program, made for that program.
    fn inputs_of(&self, number: usize) -> HashMap<Name, Name> {
        let function = self.parts[number].function();
        let own = self.wiring.params.iter().zip(&self.param_names).filter(|(at, _)| at.part == number);
        own.map(|(at, new)| (function.values[function.params()[at.port]].name.clone(), new.clone())).collect()
    }

    fn part(&mut self, number: usize, part: &Part<'_>) {
        let moves = self.weights.adopt(part, number);
        self.add_attributes(part, &moves);
        let old = part.function();
        let mut copy = Copy {
            number,
            old,
            part,
            moves: &moves,
            values: vec![None; old.values.len()],
            returned: (self.wiring.outputs.iter())
                .filter(|at| at.part == number)
                .map(|at| self.value_of(*at))
                .collect(),
            blocks: HashMap::from([(old.body, self.function.body)]),
        };
        for (port, (&param, feed)) in old.params().iter().zip(&self.wiring.feeds[number]).enumerate() {
            let value = match *feed {
                Feed::Param(index) => self.function.params()[index],
                Feed::Output(from, cast) => self.fed(from, cast, Origin { part: number, port }),
            };
            copy.values[param.index()] = Some(value);
        }
        let order = ops_in_order(old);
        let new: Vec<OpId> = order.iter().map(|&op| self.declare(&mut copy, op)).collect();
        for (&op, new) in order.iter().zip(new) {
            self.fill(&copy, op, new);
        }
        self.given.push(old.outputs().iter().map(|v| copy.value(*v)).collect());
    }

    /// The attributes of the program and the function, where earlier programs have none of the name.
    fn add_attributes(&mut self, part: &Part<'_>, moves: &Moves) {
        let own = moves.named(&part.checked.program().attributes);
        let functions = moves.named(&part.function().attributes);
        for (list, new) in [(&mut self.attributes, own), (&mut self.function.attributes, functions)] {
            for (name, constant) in new {
                if name != FLEXIBLE_SHAPES && !list.iter().any(|(n, _)| *n == name) {
                    list.push((name, constant));
                }
            }
        }
    }

    /// The value of an earlier program's output, converted if that is wanted.
    fn fed(&mut self, from: Origin, cast: Option<DType>, to: Origin) -> ValueId {
        let value = self.given[from.part][from.port];
        let Some(dtype) = cast else { return value };
        if let Some(&made) = self.casts.get(&(value, dtype)) {
            return made;
        }
        let function = self.parts[to.part].function();
        let input = function.values[function.params()[to.port]].name.clone();
        let name = self.names.fresh(to.part, &input);
        let ty = match &self.function.values[value].ty {
            Type::Tensor(t) => Type::tensor(dtype, t.shape.clone()),
            _ => Type::Unranked(dtype),
        };
        let args = vec![
            ("dtype".into(), Arg::constant(Constant::string(dtype.name()))),
            ("x".into(), Arg::value(value)),
        ];
        let made = self.insert("cast", args, name, ty);
        self.casts.insert((value, dtype), made);
        made
    }

    /// An op of our own at the end of the body.
    fn insert(&mut self, kind: &str, args: Vec<(Name, Arg)>, name: Name, ty: Type) -> ValueId {
        let block = self.function.body;
        let attributes = vec![("name".into(), Constant::string(&name))];
        let op = self.function.ops.push(Op {
            name: kind.into(),
            args,
            attributes,
            outputs: Vec::new(),
            blocks: Vec::new(),
            block,
        });
        self.ops.push(None);
        let value = self.function.values.push(Value { name, ty, def: Def::Output(op, 0) });
        self.function.ops[op].outputs.push(value);
        self.function.blocks[block].ops.push(op);
        value
    }

    /// Makes room for an op, its outputs, its nested blocks and their parameters.
    fn declare(&mut self, copy: &mut Copy<'_>, id: OpId) -> OpId {
        let old = &copy.old.ops[id];
        let block = copy.block(old.block);
        let new = self.function.ops.push(Op {
            name: old.name.clone(),
            args: Vec::new(),
            attributes: Vec::new(),
            outputs: Vec::new(),
            blocks: Vec::new(),
            block,
        });
        self.ops.push(Some((copy.number, id)));
        self.function.blocks[block].ops.push(new);
        for (index, &output) in old.outputs.iter().enumerate() {
            let value = self.value(copy, output, Def::Output(new, index as u32));
            self.function.ops[new].outputs.push(value);
        }
        for &nested in &old.blocks {
            let to = self.function.blocks.push(Block { owner: Some(new), ..Block::default() });
            copy.blocks.insert(nested, to);
            self.function.ops[new].blocks.push(to);
            for (index, &param) in copy.old.blocks[nested].params.iter().enumerate() {
                let value = self.value(copy, param, Def::Param(to, index as u32));
                self.function.blocks[to].params.push(value);
            }
        }
        new
    }

    fn value(&mut self, copy: &mut Copy<'_>, id: ValueId, def: Def) -> ValueId {
        let old = &copy.old.values[id];
        let name = self.names.get(copy.number, &old.name);
        let new = self.function.values.push(Value { name, ty: copy.ty(id), def });
        copy.values[id.index()] = Some(new);
        new
    }

    /// Everything of an op that refers to values, and the results of its blocks.
    fn fill(&mut self, copy: &Copy<'_>, id: OpId, new: OpId) {
        let old = &copy.old.ops[id];
        let bind = |binding: &Binding| match binding {
            Binding::Value(v) => Binding::Value(copy.value(*v)),
            Binding::Constant(c) => Binding::Constant(copy.moves.constant(c)),
        };
        let arg = |(name, arg): &(Name, Arg)| (name.clone(), Arg(arg.0.iter().map(bind).collect()));
        let args = old.args.iter().map(arg).collect();
        let mut attributes = copy.moves.named(&old.attributes);
        // The label of an op is the name of its output unless a person chose another; it stays so.
        if let (Some(&was), Some(&is)) = (old.outputs.first(), self.function.ops[new].outputs.first())
            && old.label() == Some(&copy.old.values[was].name)
        {
            let label = Constant::string(&self.function.values[is].name);
            attributes.iter_mut().filter(|(n, _)| n == "name").for_each(|(_, c)| *c = label.clone());
        }
        for &nested in &old.blocks {
            let results = copy.old.blocks[nested].results.iter().map(|v| copy.value(*v)).collect();
            self.function.blocks[copy.block(nested)].results = results;
        }
        let op = &mut self.function.ops[new];
        op.args = args;
        op.attributes = attributes;
    }

    /// Sets the results of the linked function. An output that is the input of its program gets an `identity`, because a
    /// value has one name. Gives where each result comes from: a value is returned once.
    fn results(&mut self) -> Vec<Origin> {
        let (mut results, mut origins) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for (index, &at) in self.wiring.outputs.iter().enumerate() {
            let value = self.given[at.part][at.port];
            let function = self.parts[at.part].function();
            let passes = self.is_param(self.value_of(at), function) && !self.is_own_param(at);
            let result = if passes {
                let ty = self.function.values[value].ty.clone();
                let args = vec![("x".into(), Arg::value(value))];
                self.insert("identity", args, self.output_names[index].clone(), ty)
            } else {
                value
            };
            if seen.insert(result) {
                results.push(result);
                origins.push(at);
            }
        }
        let body = self.function.body;
        self.function.blocks[body].results = results;
        origins
    }
}

/// One function while it is copied.
struct Copy<'a> {
    number: usize,
    part: &'a Part<'a>,
    old: &'a Function,
    moves: &'a Moves,
    values: Vec<Option<ValueId>>,
    /// The values that are outputs of the linked function.
    returned: HashSet<ValueId>,
    blocks: HashMap<BlockId, BlockId>,
}

impl Copy<'_> {
    /// The copy of a value; the checker has seen that it is defined before it is used.
    fn value(&self, old: ValueId) -> ValueId {
        self.values[old.index()].expect("a checked program defines what it uses")
    }

    /// The copy of a block; ops are copied after the op that owns their block.
    fn block(&self, old: BlockId) -> BlockId {
        self.blocks[&old]
    }

    /// The declared type. A scalar that a function returns may be declared with one element; where the value is not
    /// returned any more, it has its true type.
    fn ty(&self, id: ValueId) -> Type {
        let declared = &self.old.values[id].ty;
        let found = self.part.checked.ty(self.part.function, id);
        match (declared, found) {
            (Type::Tensor(declared), Some(Type::Tensor(found)))
                if declared.shape.rank() != 0 && found.shape.rank() == 0 && !self.returned.contains(&id) =>
            {
                Type::scalar(found.dtype)
            }
            _ => declared.clone(),
        }
    }
}
