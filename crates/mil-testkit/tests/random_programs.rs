//! Random valid programs through every stage: print, read, check, print again, run on every runtime, compare.
//!
//! `MILWRIGHT_PROGRAMS` is how many (60), `MILWRIGHT_SEED` where they start (0). A program that fails is shrunk first.

use mil_base::{Opset, Tensor};
use mil_check::{Target, check};
use mil_codec::text::{Options, print};
use mil_ir::Origins;
use mil_ops::OpSet;
use mil_ops::contract::Bound;
use mil_ops::ops::ALL;
use mil_testkit::case::{Case, build, checked, rendered};
use mil_testkit::compare::compare;
use mil_testkit::engine::{cpus, reference};
use mil_testkit::page::{Shows, examples};
use mil_testkit::random::{Rng, Step, assemble, case_of, chain, shrink};

/// The examples of an op set that can be chained.
fn templates(opset: Opset) -> Vec<Case> {
    let all = ALL.iter().flat_map(|def| examples(def).unwrap_or_default());
    let usable = all.filter(|e| e.opset == opset && e.shows == Shows::Values);
    usable.filter_map(|e| build(&e).ok()).filter(|c| c.states.is_empty() && c.inputs.len() < 8).collect()
}

/// Nothing, or the stage at which the chain went wrong and how.
fn trial(steps: &[Step], templates: &[Case], opset: Opset) -> Result<(), String> {
    let (program, inputs) = assemble(steps, templates, opset.text());
    let text = print(&program, &Options::default());
    if let Err(d) = check(program, &Origins::default(), &OpSet::standard(), Target::default()) {
        return Err(format!("check refuses the program as built: {d:?}"));
    }
    let again = checked(&text)
        .map_err(|d| format!("what was printed is refused:\n{}", rendered(&d, "random", &text)))?;
    if print(again.program(), &Options::default()) != text {
        return Err("printing what was read gives another text".to_owned());
    }
    let case = case_of(again, text, inputs).ok_or("no function")?;
    let want = reference().run(&case, &case.inputs);
    let mut first: Option<Vec<(mil_base::Name, Tensor)>> = None;
    for engine in cpus() {
        let got = engine.run(&case, &case.inputs);
        let (want, got) = match (&want, got) {
            (Err(mil_run::RunError::Op(_)), _) => return Ok(()),
            (Err(e), _) => return Err(format!("reference: {e}")),
            (Ok(_), Err(e)) => return Err(format!("{}: {e}", engine.name)),
            (Ok(want), Ok(got)) => (want, got),
        };
        for ((name, want), (_, got)) in want.iter().zip(&got) {
            // Rounding before a step that jumps (a comparison, an argmax) may change all that follows.
            if smooth(&case) && want.to_f64().iter().all(|v| v.is_finite() && v.abs() < 1e3) {
                let bound = Bound { abs: 2e-2, rel: 2e-2, scale: 2e-2 };
                compare(want, got, bound).map_err(|e| format!("{}: {name} {e}", engine.name))?;
            } else if (want.dtype(), want.shape()) != (got.dtype(), got.shape()) {
                return Err(format!("{}: {name} is {} but should be {}", engine.name, got.ty(), want.ty()));
            }
        }
        match &first {
            None => first = Some(got),
            Some(first) => {
                for ((name, a), (_, b)) in first.iter().zip(&got) {
                    let bound = Bound { abs: 1e-6, rel: 1e-4, scale: 1e-4 };
                    if smooth(&case) {
                        compare(a, b, bound).map_err(|e| format!("cpu and {}: {name} {e}", engine.name))?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Do small differences stay small in it? Only if it holds no computed integers or bools.
fn smooth(case: &Case) -> bool {
    let function = &case.checked.program().functions[case.function];
    function.values.ids().all(|v| {
        let float = function.values[v].ty.as_tensor().is_some_and(|t| t.dtype.is_float());
        float || case.checked.is_constant(case.function, v)
    })
}

#[test]
fn random_programs_pass_every_stage() {
    let n = mil_testkit::scale("MILWRIGHT_PROGRAMS", 60);
    let start = mil_testkit::scale("MILWRIGHT_SEED", 0);
    let sets: Vec<(Opset, Vec<Case>)> = [Opset::Ios15, Opset::Ios17, Opset::Ios18]
        .into_iter()
        .map(|o| (o, templates(o)))
        .filter(|(_, t)| !t.is_empty())
        .collect();
    let mut ops = 0;
    for seed in start..start + n {
        let mut rng = Rng(seed as u64);
        let (opset, templates) = &sets[rng.below(sets.len())];
        let length = 2 + rng.below(12);
        let steps = chain(&mut rng, templates, length);
        ops += steps.len();
        let Err(error) = trial(&steps, templates, *opset) else { continue };
        let small = shrink(steps, templates, &mut |s| trial(s, templates, *opset).is_err());
        let error = trial(&small, templates, *opset).err().unwrap_or(error);
        let (program, inputs) = assemble(&small, templates, opset.text());
        panic!("seed {seed}: {error}\n{}\n{inputs:?}", print(&program, &Options::default()));
    }
    println!("{n} programs of {ops} steps");
}
