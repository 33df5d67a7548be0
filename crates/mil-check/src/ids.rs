//! Soundness: after this, no id dangles, every use is in the scope of its definition, and every name is unique there.

use crate::codes;
use crate::locate::locate;
use mil_base::{Diagnostic, Label, Name, Place, Type, sort_by_place};
use mil_ir::{
    Binding, BlockId, Constant, Def, Function, NamedConstant, OpId, Origins, Payload, Program, ValueId,
};
use std::collections::{HashMap, HashSet};

/// Deepest nesting of blocks that is followed; as deep as the reader of MIL text goes.
pub const MAX_NESTING: usize = 100;

/// Everything unsound about the ids and names of `program`, sorted by place; empty if it is sound.
pub fn ids(program: &Program, origins: &Origins) -> Vec<Diagnostic> {
    let mut diagnostics = soundness(program).diagnostics;
    locate(&mut diagnostics, program, origins);
    sort_by_place(&mut diagnostics);
    diagnostics
}

/// What [`soundness`] found.
pub(crate) struct Soundness {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Can the program be walked, ids indexed and nesting recursed into?
    pub(crate) walkable: bool,
}

pub(crate) fn soundness(program: &Program) -> Soundness {
    let mut found = Soundness { diagnostics: Vec::new(), walkable: true };
    found.constants(program, &Place::default(), &program.attributes);
    let mut names = HashSet::new();
    for (_, function) in program.functions.iter() {
        let place = Place { function: Some(function.name.clone()), ..Place::default() };
        if !names.insert(&*function.name) {
            let message = format!("two functions are called `{}`", function.name);
            found.report(codes::DUPLICATE_NAME, place.clone(), message, "rename one of them");
        }
        found.constants(program, &place, &function.attributes);
        let mut scopes = Scopes {
            program,
            function,
            found: &mut found,
            blocks_seen: vec![false; function.blocks.len()],
            ops_seen: vec![false; function.ops.len()],
            values: vec![Sight::Undefined; function.values.len()],
            names: HashMap::new(),
        };
        scopes.block(function.body, None, &place, 0);
    }
    found
}

impl Soundness {
    fn report(&mut self, code: &'static str, place: Place, message: String, help: &str) {
        let diagnostic = Diagnostic::error(code, message).label(Label::place(place, ""));
        self.diagnostics.push(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    }

    /// A fault after which the program cannot be walked.
    fn broken(&mut self, code: &'static str, place: Place, message: String) {
        self.walkable = false;
        self.report(code, place, message, "");
    }

    fn constants(&mut self, program: &Program, place: &Place, constants: &[NamedConstant]) {
        let mut names = HashSet::new();
        for (name, constant) in constants {
            let place = Place { argument: Some(name.clone()), ..place.clone() };
            if !names.insert(&**name) {
                let message = format!("the attribute `{name}` is given twice");
                self.report(codes::DUPLICATE_NAME, place.clone(), message, "remove one of them");
            }
            self.constant(program, &place, constant);
        }
    }

    fn constant(&mut self, program: &Program, place: &Place, constant: &Constant) {
        if blob_missing(program, &constant.payload) {
            let message = "an immediate value names a blob that the program does not have".to_owned();
            self.broken(codes::DANGLING, place.clone(), message);
        } else if !fits(&constant.ty, &constant.payload) {
            let message = format!("the data of this value are not of its declared type {}", constant.ty);
            self.broken(codes::BAD_CONSTANT, place.clone(), message);
        }
    }
}

fn blob_missing(program: &Program, payload: &Payload) -> bool {
    match payload {
        Payload::Blob(id) => program.blobs.get(*id).is_none(),
        Payload::Tensor(_) => false,
        Payload::List(items) | Payload::Tuple(items) => items.iter().any(|p| blob_missing(program, p)),
        Payload::Dict(pairs) => {
            pairs.iter().any(|(k, v)| blob_missing(program, k) || blob_missing(program, v))
        }
    }
}

fn fits(ty: &Type, payload: &Payload) -> bool {
    match (ty, payload) {
        (Type::Tensor(ty), Payload::Tensor(t)) => ty.dtype == t.dtype() && ty.shape.may_equal(&t.ty().shape),
        (Type::Tensor(_), Payload::Blob(_)) => true,
        (Type::List(item, n), Payload::List(items)) => {
            n.may_equal(items.len().into()) && items.iter().all(|p| fits(item, p))
        }
        (Type::Tuple(tys), Payload::Tuple(items)) => {
            tys.len() == items.len() && tys.iter().zip(items).all(|(t, p)| fits(t, p))
        }
        (Type::Dict(key, value), Payload::Dict(pairs)) => {
            pairs.iter().all(|(k, v)| fits(key, k) && fits(value, v))
        }
        _ => false,
    }
}

/// Whether a value may be used at the place the walk has reached.
#[derive(Clone, Copy, PartialEq)]
enum Sight {
    Undefined,
    Visible,
    Left,
}

/// The walk through one function in order of execution.
struct Scopes<'a> {
    program: &'a Program,
    function: &'a Function,
    found: &'a mut Soundness,
    blocks_seen: Vec<bool>,
    ops_seen: Vec<bool>,
    values: Vec<Sight>,
    names: HashMap<&'a str, ValueId>,
}

impl<'a> Scopes<'a> {
    fn block(&mut self, id: BlockId, owner: Option<OpId>, place: &Place, depth: usize) {
        if depth > MAX_NESTING {
            let message = format!("blocks are nested deeper than {MAX_NESTING}");
            return self.found.broken(codes::NESTING, place.clone(), message);
        }
        let Some(block) = self.function.blocks.get(id) else {
            let message = format!("block {id:?} does not exist");
            return self.found.broken(codes::DANGLING, place.clone(), message);
        };
        if std::mem::replace(&mut self.blocks_seen[id.index()], true) {
            let message = format!("block {id:?} is used twice");
            return self.found.broken(codes::STRUCTURE, place.clone(), message);
        }
        if block.owner != owner {
            let message = format!("block {id:?} says that another op owns it");
            self.found.broken(codes::STRUCTURE, place.clone(), message);
        }
        let mut defined = Vec::new();
        for (index, &param) in block.params.iter().enumerate() {
            self.define(param, Def::Param(id, index as u32), place, &mut defined);
        }
        for &op in &block.ops {
            self.op(op, id, place, depth, &mut defined);
        }
        for &result in &block.results {
            self.use_of(result, place, "the results");
        }
        for value in defined {
            self.values[value.index()] = Sight::Left;
            let name: &str = &self.function.values[value].name;
            if self.names.get(name) == Some(&value) {
                self.names.remove(name);
            }
        }
    }

    fn op(&mut self, id: OpId, block: BlockId, outer: &Place, depth: usize, defined: &mut Vec<ValueId>) {
        let (function, program) = (self.function, self.program);
        let Some(op) = function.ops.get(id) else {
            return self.found.broken(codes::DANGLING, outer.clone(), format!("op {id:?} does not exist"));
        };
        let first = op.outputs.first().and_then(|&v| function.values.get(v));
        let place = Place {
            function: outer.function.clone(),
            op: Some(id.index() as u32),
            op_name: Some(first.map_or(&op.name, |v| &v.name).clone()),
            argument: None,
        };
        if std::mem::replace(&mut self.ops_seen[id.index()], true) || op.block != block {
            let message = format!("op {id:?} stands in a block it does not say it stands in, or twice");
            return self.found.broken(codes::STRUCTURE, place, message);
        }
        for (index, (name, arg)) in op.args.iter().enumerate() {
            let place = || Place { argument: Some(name.clone()), ..place.clone() };
            if op.args[..index].iter().any(|(n, _)| n == name) {
                let message = format!("the argument `{name}` is given twice");
                self.found.report(codes::DUPLICATE_NAME, place(), message, "remove one of them");
            }
            for binding in &arg.0 {
                match binding {
                    Binding::Value(v) if self.values.get(v.index()) == Some(&Sight::Visible) => {}
                    Binding::Value(v) => self.use_of(*v, &place(), &format!("`{name}`")),
                    Binding::Constant(c) => self.found.constant(program, &place(), c),
                }
            }
        }
        self.found.constants(program, &place, &op.attributes);
        for &block in &op.blocks {
            self.block(block, Some(id), &place, depth + 1);
        }
        for (index, &output) in op.outputs.iter().enumerate() {
            self.define(output, Def::Output(id, index as u32), &place, defined);
        }
    }

    fn define(&mut self, id: ValueId, def: Def, place: &Place, defined: &mut Vec<ValueId>) {
        let Some(value) = self.function.values.get(id) else {
            let message = format!("value {id:?} does not exist");
            return self.found.broken(codes::DANGLING, place.clone(), message);
        };
        if value.def != def || self.values[id.index()] != Sight::Undefined {
            let message = format!("`{}` is defined twice, or says it is defined elsewhere", value.name);
            return self.found.broken(codes::STRUCTURE, place.clone(), message);
        }
        self.values[id.index()] = Sight::Visible;
        defined.push(id);
        let place = Place { argument: Some(value.name.clone()), ..place.clone() };
        if self.names.contains_key(&*value.name) {
            let message = format!("`{}` is already defined", value.name);
            let help = "give it a name that no value visible here has";
            return self.found.report(codes::DUPLICATE_NAME, place, message, help);
        }
        self.names.insert(&value.name, id);
    }

    /// Reports a use of a value that is not visible. `by` is what uses it.
    fn use_of(&mut self, id: ValueId, place: &Place, by: &str) {
        let Some(value) = self.function.values.get(id) else {
            let message = format!("{by}: value {id:?} does not exist");
            return self.found.broken(codes::DANGLING, place.clone(), message);
        };
        let (message, help) = match self.values[id.index()] {
            Sight::Visible => return,
            Sight::Undefined => (
                format!("{by}: `{}` is used before it is defined", value.name),
                "move the op that defines it before this one",
            ),
            Sight::Left => (
                format!("{by}: `{}` belongs to a nested block and is not visible here", value.name),
                "hand it out through the results of its block, and use the output of the op that owns the block",
            ),
        };
        self.found.walkable = false;
        self.found.report(codes::UNDEFINED, place.clone(), message, help);
    }
}

/// The name by which a function of a program is put in a [`Place`].
pub(crate) fn function_place(name: &Name) -> Place {
    Place { function: Some(name.clone()), ..Place::default() }
}
