//! The stated accuracy of every card, on random inputs of the examples' sizes and of others.
//!
//! `MILWRIGHT_CASES` is how many inputs each example gets (2).

use mil_base::DType;
use mil_ops::contract::Bound;
use mil_ops::ops::ALL;
use mil_testkit::case::{Case, build};
use mil_testkit::compare::{compare, sum};
use mil_testkit::engine::{cpus, reference};
use mil_testkit::page::{Shows, examples};
use mil_testkit::random::{Rng, Spread, inputs, resized};

/// What rounding the reference's result to its dtype costs: half a unit in the last place.
fn half_ulp(dtype: DType) -> Bound {
    match dtype {
        DType::Fp16 => Bound { abs: 3e-8, rel: 1.0 / 2048.0, scale: 0.0 },
        d if d.is_float() => Bound { abs: 1e-45, rel: 6e-8, scale: 0.0 },
        _ => Bound::EXACT,
    }
}

fn allowance(case: &Case, dtype: DType) -> Bound {
    let function = &case.checked.program().functions[case.function];
    let ops = function.ops.ids().filter_map(|op| case.checked.card(case.function, op));
    ops.map(|card| card.def.accuracy.bound(dtype)).fold(half_ulp(dtype), sum)
}

/// Ops that are defined for positive inputs, or so ill-conditioned for others that no accuracy can be stated: the
/// logarithm of a sum that almost cancels.
const POSITIVE: &[&str] = &["reduce_log_sum"];

/// Ops whose accuracy is stated for activations of usual size: the exponential of a logit of many thousands, rounded to
/// fp32, has few digits left whatever computes it.
const UNIT: &[&str] = &["scaled_dot_product_attention"];

#[test]
fn the_cpu_is_as_near_to_the_reference_as_the_cards_say() {
    let n = mil_testkit::scale("MILWRIGHT_CASES", 2);
    let (mut failures, mut compared, mut refused) = (Vec::new(), 0, 0);
    for def in ALL {
        let found = examples(def).unwrap_or_else(|e| panic!("{e}"));
        for (number, example) in found.iter().filter(|e| e.shows == Shows::Values).enumerate() {
            let Ok(case) = build(example) else { continue };
            for round in 0..n {
                let seed = (number * 1000 + round) as u64;
                let mut rng = Rng(seed);
                let spread = match def.name {
                    name if POSITIVE.contains(&name) => Spread::Positive,
                    name if UNIT.contains(&name) => Spread::Unit,
                    _ => [Spread::Unit, Spread::Tails, Spread::Positive][round % 3],
                };
                let other = resized(&mut rng, &case);
                for case in [Some(&case), other.as_ref()].into_iter().flatten() {
                    let given = inputs(&mut rng, case, spread);
                    let want = match reference().run(case, &given) {
                        Ok(want) => want,
                        Err(mil_run::RunError::Op(_)) => {
                            refused += 1;
                            continue;
                        }
                        Err(error) => {
                            failures.push(format!("{} on reference, seed {seed}: {error}", case.name));
                            continue;
                        }
                    };
                    for engine in cpus() {
                        let at = format!("{} on {}, seed {seed}, {spread:?}", case.name, engine.name);
                        let got = match engine.run(case, &given) {
                            Ok(got) => got,
                            Err(error) => {
                                failures.push(format!("{at}: {error}"));
                                continue;
                            }
                        };
                        for ((name, want), (_, got)) in want.iter().zip(&got) {
                            compared += 1;
                            if let Err(error) = compare(want, got, allowance(case, want.dtype())) {
                                failures.push(format!("{at}: {name} {error} ({})", want.ty()));
                            }
                        }
                    }
                }
            }
        }
    }
    println!("{compared} outputs compared, {refused} inputs refused by the reference");
    assert!(failures.is_empty(), "{} of {compared} failed:\n{}", failures.len(), failures.join("\n"));
}
