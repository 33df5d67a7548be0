//! The check of a whole program, and the proof that it succeeded.

use crate::codes;
use crate::ids::soundness;
use crate::locate::locate;
use crate::nearest::{choices, nearest};
use crate::walk::{Facts, Walk};
use mil_base::{Diagnostic, Label, Opset, Place, Tensor, Type, sort_by_place};
use mil_ir::{FunctionId, OpId, Origins, Program, ValueId};
use mil_ops::{OpDef, OpSet, OpView, Version};
use std::sync::Arc;

/// What the program is to run on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Target {
    /// The newest op set it may use; nothing means any.
    pub newest: Option<Opset>,
}

/// The card of an op and the signature in force for it.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// The card.
    pub def: &'static OpDef,
    /// The signature.
    pub version: &'static Version,
}

/// A program that was found right: ids are sound, every reachable op has a card and fits it, every value has a type.
///
/// Only [`check()`] makes one, so later stages need not look again.
#[derive(Clone)]
pub struct Checked {
    program: Arc<Program>,
    ops: OpSet,
    functions: Vec<Facts>,
    warnings: Vec<Diagnostic>,
}

/// Checks a program: ids, op sets, every op against its card, every declared type against the inferred one.
///
/// Gives the proof, with warnings in [`Checked::warnings`], or everything that is wrong at once, sorted by place, with
/// spans from `origins` where it has them. Never panics; the time is linear in the size of the program.
pub fn check(
    program: impl Into<Arc<Program>>,
    origins: &Origins,
    ops: &OpSet,
    target: Target,
) -> Result<Checked, Vec<Diagnostic>> {
    let program = program.into();
    let soundness = soundness(&program);
    let mut diagnostics = soundness.diagnostics;
    let mut functions = Vec::new();
    if soundness.walkable {
        for (id, function) in program.functions.iter() {
            let opset = opset(function, target, &mut diagnostics);
            let params: Vec<Type> =
                function.params().iter().map(|&p| function.values[p].ty.clone()).collect();
            let mut walk = Walk::new(&program, id, ops, opset);
            walk.run(&params);
            let (facts, found) = walk.finish();
            diagnostics.extend(found);
            functions.push(facts);
        }
    }
    locate(&mut diagnostics, &program, origins);
    sort_by_place(&mut diagnostics);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    Ok(Checked { program, ops: ops.clone(), functions, warnings: diagnostics })
}

/// The op set a function names. Where it is unknown, the newest stands in so that the check can go on.
fn opset(function: &mil_ir::Function, target: Target, diagnostics: &mut Vec<Diagnostic>) -> Opset {
    let place = Place { function: Some(function.name.clone()), ..Place::default() };
    let Some(opset) = Opset::parse(&function.opset) else {
        let names = Opset::ALL.iter().map(|o| o.text());
        let help = match choices(&nearest(&function.opset, names)) {
            Some(near) => format!("did you mean {near}?"),
            None => "write one of ios15, ios16, ios17, ios18, ios26".to_owned(),
        };
        let message = format!("`{}` is no op set", function.opset);
        diagnostics
            .push(Diagnostic::error(codes::UNKNOWN_OPSET, message).label(Label::place(place, "")).help(help));
        return Opset::Ios26;
    };
    if let Some(newest) = target.newest
        && opset > newest
    {
        let message = format!("the function needs {opset}, but it is to run where {newest} is the newest");
        let help = format!("write it for {newest}, or choose a newer target");
        diagnostics
            .push(Diagnostic::error(codes::OPSET_TOO_NEW, message).label(Label::place(place, "")).help(help));
    }
    opset
}

impl Checked {
    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The program, shared.
    pub fn shared_program(&self) -> Arc<Program> {
        self.program.clone()
    }

    /// Gives the program back, to be changed and checked again.
    pub fn into_program(self) -> Program {
        Arc::unwrap_or_clone(self.program)
    }

    /// The ops it was checked against.
    pub fn ops(&self) -> &OpSet {
        &self.ops
    }

    /// What is suspicious about it but not wrong, sorted by place.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The op set of a function. `function` must be of this program, here and below.
    pub fn opset(&self, function: FunctionId) -> Opset {
        self.functions[function.index()].opset
    }

    /// Types by value index; all present. Input dimensions that the text leaves open are symbols.
    pub fn types(&self, function: FunctionId) -> &[Option<Type>] {
        &self.functions[function.index()].types
    }

    /// The type of a value of the function.
    pub fn ty(&self, function: FunctionId, value: ValueId) -> Option<&Type> {
        self.types(function).get(value.index())?.as_ref()
    }

    /// Contents by value index of what is known before execution: `const`s, and small results computed from them. The
    /// results of `constexpr_*` ops are constant but not here: they may be large. So are consts whose file is missing.
    pub fn known(&self, function: FunctionId) -> &[Option<Tensor>] {
        &self.functions[function.index()].known
    }

    /// Does the value never change from run to run (const, constexpr, or computed from such)?
    pub fn is_constant(&self, function: FunctionId, value: ValueId) -> bool {
        self.functions[function.index()].constant.get(value.index()).copied().unwrap_or(false)
    }

    /// The card of an op; nothing for ops that stand in no block.
    pub fn card(&self, function: FunctionId, op: OpId) -> Option<Card> {
        self.functions[function.index()].cards.get(op.index()).copied().flatten()
    }

    /// What cards look through, with the types and values found here; nothing for ops that stand in no block.
    pub fn view(&self, function: FunctionId, op: OpId) -> Option<OpView<'_>> {
        let Card { def, version } = self.card(function, op)?;
        Some(OpView {
            def,
            version,
            program: &self.program,
            function: &self.program.functions[function],
            id: op,
            types: self.types(function),
            known: self.known(function),
        })
    }
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checked").field("program", &self.program).finish_non_exhaustive()
    }
}
