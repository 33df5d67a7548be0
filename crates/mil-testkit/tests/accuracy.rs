//! The stated accuracy of every card: it holds for random inputs of the examples' sizes and of others, and it is what
//! was measured on a thousand of them, which `tests/accuracy.json` keeps.
//!
//! `MILWRIGHT_CASES` is how many inputs each example gets (2), or each dtype of an op in the measurement (1000).

use mil_base::{DType, Name, Tensor};
use mil_ops::OpDef;
use mil_ops::contract::Bound;
use mil_ops::ops::ALL;
use mil_testkit::case::{Case, build};
use mil_testkit::compare::{compare_with, sum};
use mil_testkit::engine::{cpus, reference};
use mil_testkit::measure::{cases, measure};
use mil_testkit::measured::parts;
use mil_testkit::page::{Shows, examples};
use mil_testkit::random::{Rng, Sizes, Spread, inputs, resized};
use mil_testkit::recorded::{INPUTS, Record, Records, expected, faults, parse, path, text};

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

/// How far the reference's outputs move when the last digit of every fp32 input does, by output and element. Where
/// that is much, no kernel can be nearer: the logarithm of a sum that cancels, the variance of equal elements.
fn sensitivity(
    case: &Case,
    given: &[(Name, Tensor)],
    want: &[(Name, Tensor)],
    rng: &mut Rng,
) -> Vec<Vec<f64>> {
    let mut moved: Vec<Vec<f64>> = want.iter().map(|(_, t)| vec![0.0; t.count()]).collect();
    for _ in 0..4 {
        let mut shaken = |t: &Tensor| {
            let values = t.to_f64().into_iter().map(|v| v * (1.0 + (rng.unit() - 0.5) * 2.4e-7));
            Tensor::from_f64(DType::Fp32, t.shape(), &values.collect::<Vec<_>>())
                .unwrap_or_else(|_| t.clone())
        };
        let inputs: Vec<(Name, Tensor)> = given
            .iter()
            .map(|(n, t)| (n.clone(), if t.dtype() == DType::Fp32 { shaken(t) } else { t.clone() }))
            .collect();
        let Ok(other) = reference().run(case, &inputs) else { continue };
        for ((moved, (_, want)), (_, other)) in moved.iter_mut().zip(want).zip(&other) {
            for ((m, a), b) in moved.iter_mut().zip(want.to_f64()).zip(other.to_f64()) {
                *m = m.max(if (a - b).is_finite() { (a - b).abs() } else { 0.0 });
            }
        }
    }
    moved
}

/// Examples whose results hide how ill-conditioned they are, from [`sensitivity`] too: two elements normalised with
/// epsilon 0 are always -1 and 1, however few digits their difference has.
const HIDDEN: &[&str] = &["instance_norm#1"];

#[test]
fn the_cpu_is_as_near_to_the_reference_as_the_cards_say() {
    let n = mil_testkit::scale("MILWRIGHT_CASES", 2);
    let (mut failures, mut compared, mut refused) = (Vec::new(), 0, 0);
    for def in ALL {
        let found = examples(def).unwrap_or_else(|e| panic!("{e}"));
        for (number, example) in found.iter().filter(|e| e.shows == Shows::Values).enumerate() {
            let Ok(case) = build(example) else { continue };
            if HIDDEN.contains(&case.name.as_str()) {
                continue;
            }
            for round in 0..n {
                let seed = (number * 1000 + round) as u64;
                let mut rng = Rng(seed);
                let spread = Spread::ALL[round % Spread::ALL.len()];
                let other = resized(&mut rng, &case, &Sizes::SMALL);
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
                    let moved = sensitivity(case, &given, &want, &mut rng);
                    for engine in cpus() {
                        let at = format!("{} on {}, seed {seed}, {spread:?}", case.name, engine.name);
                        let got = match engine.run(case, &given) {
                            Ok(got) => got,
                            Err(error) => {
                                failures.push(format!("{at}: {error}"));
                                continue;
                            }
                        };
                        for (((name, want), (_, got)), moved) in want.iter().zip(&got).zip(&moved) {
                            compared += 1;
                            let extra: Vec<f64> = moved.iter().map(|m| 4.0 * m).collect();
                            if let Err(error) = compare_with(want, got, allowance(case, want.dtype()), &extra)
                            {
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

/// The cards whose records are wanted: all, or those named in `MILWRIGHT_OPS`, with spaces between.
fn wanted() -> Vec<&'static OpDef> {
    let names = std::env::var("MILWRIGHT_OPS").unwrap_or_default();
    let is = |def: &&OpDef| names.is_empty() || names.split_whitespace().any(|name| name == def.name);
    let found: Vec<_> = ALL.iter().copied().filter(is).collect();
    assert!(!found.is_empty(), "no op is called any of `{names}`");
    found
}

fn faults_of(defs: &[&'static OpDef], records: &Records) -> Vec<String> {
    let mut found = Vec::new();
    for def in defs {
        for dtype in expected(def).unwrap_or_else(|e| panic!("{e}")) {
            let faults = faults(def.accuracy, dtype, records.get(&(def.name.to_owned(), dtype)));
            found.extend(faults.into_iter().map(|fault| format!("{} {dtype}: {fault}", def.name)));
        }
    }
    found
}

/// `tests/accuracy.json` has every card as it stands now. [`measure_the_cards`] makes the file.
#[test]
fn what_the_cards_state_was_measured() {
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    let records = parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path().display()));
    let mut failures = faults_of(ALL, &records);
    for (op, dtype) in records.keys() {
        let known =
            ALL.iter().find(|def| def.name == op).is_some_and(|def| expected(def).unwrap().contains(dtype));
        if !known {
            failures.push(format!("{op} {dtype}: is measured, but there is no such output"));
        }
    }
    let how = "BLESS=1 MILWRIGHT_OPS=\"OP ..\" cargo test -p mil-testkit --test accuracy -- --ignored";
    assert!(failures.is_empty(), "{}\n({how} measures again)", failures.join("\n"));
}

/// Measures the cards on [`INPUTS`] random inputs for each dtype of their outputs. `BLESS=1` writes the file; of the ops
/// that are not in `MILWRIGHT_OPS` it keeps what it has.
#[test]
#[ignore = "takes minutes: see CONTRIBUTING.md"]
fn measure_the_cards() {
    let inputs = mil_testkit::scale("MILWRIGHT_CASES", INPUTS);
    let defs = wanted();
    let (mut records, mut failures) = (Records::new(), Vec::new());
    for def in &defs {
        let mut cases = cases(def).unwrap_or_else(|e| panic!("{e}"));
        cases.retain(|case| !HIDDEN.contains(&case.name.trim_end_matches('\'')));
        for dtype in expected(def).unwrap_or_else(|e| panic!("{e}")) {
            match measure(def, &cases, dtype, inputs) {
                Ok(measured) => {
                    let record = Record { stated: parts(def.accuracy.bound(dtype)), measured };
                    records.insert((def.name.to_owned(), dtype), record);
                }
                Err(error) => failures.push(error),
            }
        }
    }
    failures.extend(faults_of(&defs, &records));
    if std::env::var_os("BLESS").is_some() {
        let before = std::fs::read_to_string(path()).unwrap_or_else(|_| "{}".to_owned());
        let mut all = parse(&before).unwrap_or_else(|e| panic!("{}: {e}", path().display()));
        all.retain(|(op, _), _| {
            ALL.iter().any(|def| def.name == op) && !defs.iter().any(|def| def.name == op)
        });
        all.extend(records);
        std::fs::write(path(), text(&all)).unwrap();
    }
    assert!(failures.is_empty(), "{} faults:\n{}", failures.len(), failures.join("\n"));
}
