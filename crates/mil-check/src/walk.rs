//! One function from top to bottom: every op is compared with its card and its outputs get types.

use crate::check::Card;
use crate::codes;
use crate::declared::{agree, dims_mut, merge, scalar_output};
use crate::fold::{fold, is_constexpr};
use mil_base::{Diagnostic, Dim, Label, Name, Opset, Place, SymbolicDim, Tensor, Type};
use mil_ir::{BlockId, Function, FunctionId, OpId, Program, ValueId};
use mil_ops::contract::{Infer, Issue, Outputs, ParamKind};
use mil_ops::{OpSet, OpView};
use std::collections::HashMap;

/// What the walk finds out about a function: side tables by value and op index.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) opset: Opset,
    pub(crate) types: Vec<Option<Type>>,
    pub(crate) known: Vec<Option<Tensor>>,
    pub(crate) constant: Vec<bool>,
    pub(crate) cards: Vec<Option<Card>>,
}

/// Deepest nesting at which a loop body is inferred anew to find the dimensions that it keeps; deeper bodies are
/// inferred once with all open dimensions unknown, so that the time stays bounded.
const DEEPEST_RETRY: usize = 3;

/// The types of the outputs of one op, from its card. Everything the card reports is an error.
///
/// For executors that meet sizes only at run time: give `view` types with the actual sizes.
pub fn infer_op(view: OpView<'_>) -> Result<Vec<Type>, Vec<Issue>> {
    let (types, issues) = inferred(view);
    match types {
        Some(types) if issues.is_empty() => Ok(types),
        _ => Err(issues),
    }
}

/// What a card's inference gives and reports.
pub(crate) fn inferred(view: OpView<'_>) -> (Option<Vec<Type>>, Vec<Issue>) {
    let mut cx = Infer::new(view);
    let types = (view.def.infer)(&mut cx).ok();
    (types, cx.into_issues())
}

/// The state of the walk.
pub(crate) struct Walk<'a> {
    pub(crate) program: &'a Program,
    pub(crate) function: &'a Function,
    pub(crate) ops: &'a OpSet,
    pub(crate) facts: Facts,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Suggestions for unknown op names, each worked out once.
    pub(crate) suggestions: HashMap<&'a str, Option<String>>,
    returned: Vec<bool>,
    next_symbol: u32,
}

impl<'a> Walk<'a> {
    /// A walk of a function of a program whose ids are sound.
    pub(crate) fn new(program: &'a Program, id: FunctionId, ops: &'a OpSet, opset: Opset) -> Walk<'a> {
        let function = &program.functions[id];
        let (values, op_count) = (function.values.len(), function.ops.len());
        let mut returned = vec![false; values];
        function.outputs().iter().for_each(|v| returned[v.index()] = true);
        let facts = Facts {
            opset,
            types: vec![None; values],
            known: vec![None; values],
            constant: vec![false; values],
            cards: vec![None; op_count],
        };
        Walk {
            program,
            function,
            ops,
            facts,
            diagnostics: Vec::new(),
            suggestions: HashMap::new(),
            returned,
            next_symbol: 0,
        }
    }

    /// Infers the whole function for parameters of these types; unknown dimensions become symbols.
    pub(crate) fn run(&mut self, params: &[Type]) {
        for (&param, ty) in self.function.params().iter().zip(params) {
            self.define(param, ty.clone());
        }
        self.block(self.function.body, 0);
    }

    /// The facts, with the declared types of values that stand in no block, and the diagnostics.
    pub(crate) fn finish(mut self) -> (Facts, Vec<Diagnostic>) {
        for (id, value) in self.function.values.iter() {
            self.facts.types[id.index()].get_or_insert_with(|| value.ty.clone());
        }
        (self.facts, self.diagnostics)
    }

    /// What cards look through, at this point of the walk.
    pub(crate) fn view(&self, id: OpId, card: Card) -> OpView<'_> {
        OpView {
            def: card.def,
            version: card.version,
            program: self.program,
            function: self.function,
            id,
            types: &self.facts.types,
            known: &self.facts.known,
        }
    }

    /// An error about an op, or about an argument or output of it.
    pub(crate) fn error(
        &mut self,
        code: &'static str,
        op: OpId,
        argument: Option<&Name>,
        message: String,
        help: Option<String>,
    ) {
        let place = Place { argument: argument.cloned(), ..self.function.place(op) };
        let diagnostic = Diagnostic::error(code, message).label(Label::place(place, ""));
        self.diagnostics.push(Diagnostic { help, ..diagnostic });
    }

    fn block(&mut self, block: BlockId, depth: usize) {
        let function = self.function;
        for &op in &function.blocks[block].ops {
            self.op(op, depth);
        }
    }

    fn op(&mut self, id: OpId, depth: usize) {
        let op = &self.function.ops[id];
        let card = self.card(id);
        self.facts.cards[id.index()] = card;
        let symbols_outside = self.next_symbol;
        if !op.blocks.is_empty() {
            self.nested(id, card, depth + 1);
        }
        let types = card.and_then(|card| self.types_of(id, card));
        let values = types.as_ref().zip(card).and_then(|(types, card)| {
            let open = types.len() != op.outputs.len();
            if open { None } else { fold(&self.view(id, card), types) }
        });
        let constant = values.is_some() || is_constexpr(op) || &*op.name == "const";
        for (index, &output) in op.outputs.iter().enumerate() {
            let declared = &self.function.values[output].ty;
            let mut ty = match types.as_ref().and_then(|t| t.get(index)) {
                Some(inferred) => self.settle(id, output, declared, inferred),
                None => declared.clone(),
            };
            if !op.blocks.is_empty() {
                // A symbol made in a nested block means nothing outside it.
                dims_mut(&mut ty, &mut |dim| {
                    if matches!(dim, Dim::Symbol(s) if s.0 >= symbols_outside) {
                        *dim = Dim::Unknown;
                    }
                });
            }
            self.define(output, ty);
            self.facts.constant[output.index()] = constant;
            self.facts.known[output.index()] = values.as_ref().and_then(|v| v.get(index).cloned());
        }
    }

    /// Gives a value its type, with a new symbol for each unknown dimension.
    fn define(&mut self, value: ValueId, mut ty: Type) {
        let next = &mut self.next_symbol;
        dims_mut(&mut ty, &mut |dim| {
            if *dim == Dim::Unknown {
                *dim = Dim::Symbol(SymbolicDim(*next));
                *next += 1;
            }
        });
        self.facts.types[value.index()] = Some(ty);
    }

    /// The type of an output, from what is declared and what its op gives.
    fn settle(&mut self, op: OpId, output: ValueId, declared: &Type, inferred: &Type) -> Type {
        if agree(declared, inferred) {
            return merge(declared, inferred);
        }
        if !(self.returned[output.index()] && scalar_output(declared, inferred)) {
            let name = &self.function.values[output].name;
            let kind = &self.function.ops[op].name;
            let message = format!("`{name}` is declared {declared}, but `{kind}` gives {inferred}");
            let help = format!("declare it {inferred}, or change the arguments");
            self.error(codes::DECLARED_TYPE, op, Some(name), message, Some(help));
        }
        inferred.clone()
    }

    /// Infers the nested blocks of an op. Blocks with parameters are loops: the parameters are the loop variables, and
    /// what the last block yields becomes the parameters of the next turn. A dimension that a turn changes is unknown.
    fn nested(&mut self, id: OpId, card: Option<Card>, depth: usize) {
        let function = self.function;
        let op = &function.ops[id];
        let carried: Vec<Option<Type>> = card
            .and_then(|c| c.version.params.iter().find(|p| p.kind == ParamKind::Variadic))
            .and_then(|p| op.arg(p.name))
            .map(|arg| arg.0.iter().map(|b| self.binding_type(b)).collect())
            .unwrap_or_default();
        let start = |block: BlockId| -> Vec<Type> {
            let params = &function.blocks[block].params;
            let param = |(i, &p): (usize, &ValueId)| {
                let declared = &function.values[p].ty;
                match carried.get(i) {
                    Some(Some(ty)) if carried.len() == params.len() && agree(declared, ty) => {
                        merge(declared, ty)
                    }
                    _ => declared.clone(),
                }
            };
            params.iter().enumerate().map(param).collect()
        };
        let mut params: Vec<Vec<Type>> = op.blocks.iter().map(|&b| start(b)).collect();
        let loops = params.iter().any(|p| !p.is_empty());
        let before = self.diagnostics.len();
        let mut tries = if loops && depth <= DEEPEST_RETRY { 3 } else { 0 };
        if loops && tries == 0 {
            self.forget(op.blocks.as_slice(), &mut params);
        }
        loop {
            for (&block, types) in op.blocks.iter().zip(&params) {
                for (&param, ty) in function.blocks[block].params.iter().zip(types) {
                    self.define(param, ty.clone());
                    self.facts.known[param.index()] = None;
                }
                self.block(block, depth);
            }
            if tries == 0 || !self.weaken(op.blocks.as_slice(), &mut params) {
                return;
            }
            self.diagnostics.truncate(before);
            tries -= 1;
            if tries == 0 {
                self.forget(op.blocks.as_slice(), &mut params);
            }
        }
    }

    /// Is the rank of an argument not known?
    fn takes_unranked(&self, id: OpId) -> bool {
        let op = &self.function.ops[id];
        let args = op.args.iter().flat_map(|(_, arg)| &arg.0);
        args.filter_map(|binding| self.binding_type(binding)).any(|ty| matches!(ty, Type::Unranked(_)))
    }

    /// Makes unknown every parameter dimension that the last block does not yield again. True if there was one.
    fn weaken(&self, blocks: &[BlockId], params: &mut [Vec<Type>]) -> bool {
        let Some(&last) = blocks.last() else { return false };
        let block = &self.function.blocks[last];
        let mut changed = false;
        for (index, (&result, &param)) in block.results.iter().zip(&block.params).enumerate() {
            let whole = |v: ValueId| self.facts.types[v.index()].as_ref();
            if let (Some(next), Some(now @ Type::Tensor(_))) = (whole(result), whole(param))
                && let Type::Unranked(dtype) = self.function.values[param].ty
                && next.as_tensor().map(|t| t.shape.rank()) != now.as_tensor().map(|t| t.shape.rank())
            {
                // Only a parameter whose declared rank is open may change it from turn to turn.
                for types in params.iter_mut() {
                    if let Some(ty) = types.get_mut(index) {
                        *ty = Type::Unranked(dtype);
                    }
                }
                changed = true;
                continue;
            }
            let ty = |v: ValueId| whole(v).and_then(Type::as_tensor);
            let (Some(next), Some(now)) = (ty(result), ty(param)) else { continue };
            let declared = self.function.values[param].ty.as_tensor();
            for (axis, (a, b)) in next.shape.iter().zip(now.shape.iter()).enumerate() {
                let fixed = declared.is_some_and(|t| t.shape.get(axis).is_some_and(|d| d.known().is_some()));
                if a == b || fixed {
                    continue;
                }
                for types in params.iter_mut() {
                    if let Some(Type::Tensor(t)) = types.get_mut(index)
                        && let Some(dim) = t.shape.0.get_mut(axis)
                        && *dim != Dim::Unknown
                    {
                        *dim = Dim::Unknown;
                        changed = true;
                    }
                }
            }
        }
        changed
    }

    /// Parameters at their declared types.
    fn forget(&self, blocks: &[BlockId], params: &mut [Vec<Type>]) {
        for (&block, types) in blocks.iter().zip(params) {
            let declared = self.function.blocks[block].params.iter();
            *types = declared.map(|&p| self.function.values[p].ty.clone()).collect();
        }
    }

    fn types_of(&mut self, id: OpId, card: Card) -> Option<Vec<Type>> {
        let fit = self.fit(id, card)?;
        if fit.pending.is_empty() && self.takes_unranked(id) {
            // No rule of the card can be applied before the ranks are known; the outputs are taken to be as declared,
            // and everything is inferred again from the shapes of a run.
            return None;
        }
        let (types, issues) = inferred(self.view(id, card));
        let clean = issues.is_empty() && fit.pending.is_empty();
        for issue in fit.reconcile(issues) {
            self.error(issue.code, id, issue.argument.as_ref(), issue.message, issue.help);
        }
        let types = types.filter(|_| clean)?;
        let outputs = self.function.ops[id].outputs.len();
        if matches!(card.version.outputs, Outputs::Varies(_)) && types.len() != outputs {
            self.output_count(id, types.len());
        }
        Some(types)
    }
}
