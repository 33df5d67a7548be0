//! Measures the cpu runtime against the reference, step by step on random inputs.

use crate::case::{Case, build};
use crate::compare::compare;
use crate::engine::reference;
use crate::measured::Measured;
use crate::page::{Example, Shows, USUAL, examples};
use crate::random::{Rng, Sizes, Spread, exposed, inputs, resized, varied};
use mil_base::DType;
use mil_ir::Def;
use mil_ops::OpDef;
use mil_ops::contract::{Accuracy, Bound, Cpu};
use mil_run::{Compared, CpuSession, LoadedCpu, Named, Options, RunError, compare_steps};
use std::collections::HashMap;
use std::sync::Arc;

/// The examples of an op as they are and with fp16 and fp32 swapped, as far as they are right then.
pub fn cases(def: &'static OpDef) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    for example in examples(def)?.iter().filter(|e| e.shows == Shows::Values) {
        cases.extend(build(example).ok());
        // Older op sets do not take fp16 everywhere.
        let mut others =
            [example.opset, USUAL].into_iter().map(|opset| Example { opset, ..swapped(example) });
        cases.extend(others.find_map(|other| build(&other).ok()));
    }
    Ok(cases.iter().map(|case| exposed(case, def.name)).collect())
}

fn swapped(example: &Example) -> Example {
    let swap = |text: &str| text.replace("fp16", "fp-").replace("fp32", "fp16").replace("fp-", "fp32");
    let mut other = Example { name: format!("{}'", example.name), ..example.clone() };
    other.statements = swap(&example.statements);
    for given in other.inputs.iter_mut().chain(&mut other.outputs) {
        given.ty = swap(&given.ty);
        given.literal = given.literal.as_deref().map(swap);
    }
    other
}

/// Does the case have this op with an output of this dtype?
pub fn gives(case: &Case, def: &OpDef, dtype: DType) -> bool {
    let f = &case.checked.program().functions[case.function];
    let of =
        |v: &mil_ir::ValueId| case.checked.ty(case.function, *v).and_then(|t| Some(t.as_tensor()?.dtype));
    f.ops.ids().any(|op| f.ops[op].name == def.name && f.ops[op].outputs.iter().any(|v| of(v) == Some(dtype)))
}

/// Measures the outputs of one dtype on at least `wanted` random inputs that the op does not refuse, over all `cases`
/// that give that dtype, in their own sizes and others. Whatever fails to run is an error.
pub fn measure(def: &'static OpDef, cases: &[Case], dtype: DType, wanted: usize) -> Result<Measured, String> {
    let mut measured = Measured::default();
    let of_dtype: Vec<&Case> = cases.iter().filter(|c| gives(c, def, dtype)).collect();
    for (number, case) in of_dtype.iter().enumerate() {
        let until = wanted * (number + 1) / of_dtype.len();
        let mut bench = Bench::new(def, case);
        let mut round = 0;
        while measured.inputs < until && round < 4 * wanted {
            let seed = (number * 1_000_003 + round) as u64;
            let before = measured.elements;
            let ran = bench.round(seed, dtype, &mut measured);
            ran.map_err(|e| format!("{}, seed {seed}: {e}", case.name))?;
            measured.inputs += usize::from(measured.elements > before);
            round += 1;
        }
    }
    Ok(measured)
}

/// One case with the sizes and the ways of running it that were made so far.
struct Bench<'a> {
    def: &'static OpDef,
    case: &'a Case,
    /// Does the op read constants only? Then those are what is random.
    constant: bool,
    ready: HashMap<(usize, usize), Ready>,
}

/// A loaded case.
struct Ready {
    case: Case,
    loaded: LoadedCpu,
    session: CpuSession,
}

/// So many sizes of each case: its own, and others.
const VARIANTS: usize = 32;
/// Lengths at which sums round noticeably (with short ones, lest the total be too large), and totals at which the
/// reference takes milliseconds. No 2: two normalised elements are -1 and 1, however few digits their difference has.
const SIZES: Sizes =
    Sizes { choices: &[1, 3, 4, 1, 3, 5, 17, 33, 100, 400, 1000, 2000], most: 1 << 14, weights: true };

impl<'a> Bench<'a> {
    fn new(def: &'static OpDef, case: &'a Case) -> Bench<'a> {
        let f = &case.checked.program().functions[case.function];
        let binds = |op: &mil_ir::Op| {
            op.args.iter().flat_map(|(_, a)| &a.0).any(|b| matches!(b, mil_ir::Binding::Value(_)))
        };
        let constant = f.ops.ids().map(|op| &f.ops[op]).filter(|op| op.name == def.name).all(|op| !binds(op));
        Bench { def, case, constant, ready: HashMap::new() }
    }

    /// The case itself, with other parameters, in other sizes, with other weights.
    fn variant(&self, rng: &mut Rng, variant: usize) -> Case {
        let plain = Sizes { weights: false, ..SIZES };
        if variant == 0 {
            return self.case.clone();
        }
        let other = |rng: &mut Rng| match variant {
            v if v % 4 == 1 => varied(rng, self.case, self.def.name, Spread::Parameter),
            v if v % 4 == 2 => resized(rng, self.case, &plain),
            _ => resized(rng, self.case, &SIZES),
        };
        let found = (0..40).find_map(|_| other(rng));
        let found = found.or_else(|| varied(rng, self.case, self.def.name, Spread::Unit));
        found.unwrap_or_else(|| self.case.clone())
    }

    /// One random input, run one way and compared.
    fn round(&mut self, seed: u64, dtype: DType, measured: &mut Measured) -> Result<(), String> {
        let mut rng = Rng(seed);
        let round = seed as usize;
        let spread = Spread::ALL[round % Spread::ALL.len()];
        let (variant, threads) = (round / Spread::ALL.len() % VARIANTS, 1 + rng.below(2));
        let mut fresh;
        let ready = if self.constant {
            fresh = varied(&mut rng, self.case, self.def.name, spread)
                .map(|c| prepare(c, threads))
                .transpose()?;
            fresh.as_mut()
        } else {
            if !self.ready.contains_key(&(variant, threads)) {
                let mut rng = Rng(variant as u64);
                let ready = prepare(self.variant(&mut rng, variant), threads)?;
                self.ready.insert((variant, threads), ready);
            }
            self.ready.get_mut(&(variant, threads))
        };
        let Some(Ready { case, loaded, session }) = ready else { return Ok(()) };
        for (name, value) in &case.states {
            mil_run::Session::set_state(session, name, value).map_err(|e| e.to_string())?;
        }
        let given = inputs(&mut rng, case, spread);
        let (def, checked, function) = (self.def, case.checked.clone(), case.function);
        let before = measured.elements;
        let mut each = |step: &Compared<'_>| {
            let [op] = step.ops else { return };
            if checked.card(function, *op).is_some_and(|card| card.def.name == def.name) {
                let at = || format!("{}, seed {seed}, {spread:?}, {threads} threads", case.name);
                measured.add(def.accuracy, dtype, step, &at);
            }
        };
        match compare_steps(loaded, session, None, &given, &mut each) {
            // Inputs that the op does not take are no inputs.
            Err(RunError::Op(_)) => Ok(()),
            Err(error) => Err(error.to_string()),
            Ok((_, failures)) if !failures.is_empty() => {
                Err(format!("`{}`: {}", failures[0].0, failures[0].1))
            }
            Ok((results, _)) if measured.elements == before && is_copied(def) => {
                whole(def, case, &given, &results, dtype, measured)
            }
            Ok(_) => Ok(()),
        }
    }
}

/// Must the runtimes agree to the last bit, because nothing is computed or because both do the same?
fn is_copied(def: &OpDef) -> bool {
    def.accuracy == Accuracy::EXACT || matches!(def.cpu, Cpu::Reference(_))
}

/// Compares the results of an op that [`is_copied`] and that no step stands for: it only renames its input.
fn whole(
    def: &OpDef,
    case: &Case,
    given: &[Named],
    results: &[Named],
    dtype: DType,
    measured: &mut Measured,
) -> Result<(), String> {
    let f = &case.checked.program().functions[case.function];
    let wanted = reference().run(case, given).map_err(|e| e.to_string())?;
    for ((&value, (_, want)), (name, got)) in f.outputs().iter().zip(&wanted).zip(results) {
        let Def::Output(op, _) = f.values[value].def else { continue };
        if f.ops[op].name != def.name || want.dtype() != dtype {
            continue;
        }
        measured.elements += want.count();
        if let Err(error) = compare(want, got, Bound::EXACT) {
            (measured.share, measured.at) = (f64::INFINITY, format!("{}: `{name}` {error}", case.name));
        }
    }
    Ok(())
}

/// Fused steps are left out: they have the bounds of several cards together.
fn prepare(case: Case, threads: usize) -> Result<Ready, String> {
    let options = Options { threads, fusion: false, ..Options::default() };
    let loaded = LoadedCpu::new(Arc::new(case.checked.clone()), &options).map_err(|e| e.to_string())?;
    let name = case.checked.program().functions[case.function].name.clone();
    let session = loaded.session(Some(&name)).map_err(|e| e.to_string())?;
    Ok(Ready { case, loaded, session })
}
