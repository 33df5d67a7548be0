//! Every example of every manual page, and what the pages promise about constraints.

use mil_ops::OpDef;
use mil_ops::contract::Bound;
use mil_ops::ops::ALL;
use mil_testkit::case::{Case, build, checked, program_text, rendered};
use mil_testkit::compare::{compare, rounding, sum};
use mil_testkit::engine::{cpus, reference};
use mil_testkit::page::{Example, Shows, examples};

fn all_examples() -> Vec<(&'static OpDef, Example)> {
    let mut all = Vec::new();
    for def in ALL {
        let found = examples(def).unwrap_or_else(|e| panic!("{e}"));
        all.extend(found.into_iter().map(|e| (*def, e)));
    }
    all
}

fn fail_with(failures: Vec<String>, of: usize) {
    assert!(failures.is_empty(), "{} of {of} failed:\n\n{}", failures.len(), failures.join("\n\n"));
}

/// The allowances of all ops of a case together.
fn allowance(case: &Case, dtype: mil_base::DType) -> Bound {
    let function = &case.checked.program().functions[case.function];
    let ops = function.ops.ids().filter_map(|op| case.checked.card(case.function, op));
    ops.map(|card| card.def.accuracy.bound(dtype)).fold(rounding(dtype), sum)
}

#[test]
fn every_page_has_an_example_and_every_constraint_a_failing_one() {
    let mut missing = Vec::new();
    for def in ALL {
        let found = examples(def).unwrap_or_else(|e| panic!("{e}"));
        if !found.iter().any(|e| e.shows == Shows::Values) {
            missing.push(format!("{}: no example that runs", def.name));
        }
        for constraint in def.constraints {
            if !found.iter().any(|e| e.shows == Shows::Refusal(constraint.slug.to_owned())) {
                missing.push(format!("{}: no failing example of {}", def.name, constraint.slug));
            }
        }
    }
    fail_with(missing, ALL.len());
}

#[test]
fn examples_give_the_values_written_there_on_every_runtime() {
    let (mut failures, mut ran) = (Vec::new(), 0);
    for (_, example) in all_examples().iter().filter(|(_, e)| e.shows == Shows::Values) {
        let case = match build(example) {
            Ok(case) => case,
            Err(error) => {
                failures.push(error);
                continue;
            }
        };
        for engine in std::iter::once(reference()).chain(cpus()) {
            ran += 1;
            let outputs = match engine.run(&case, &case.inputs) {
                Ok(outputs) => outputs,
                Err(error) => {
                    failures.push(format!("{} on {}: {error}", case.name, engine.name));
                    continue;
                }
            };
            for (name, want) in &case.expected {
                let Some((_, got)) = outputs.iter().find(|(n, _)| n == name) else {
                    failures.push(format!("{} on {}: no output {name}", case.name, engine.name));
                    continue;
                };
                if let Err(error) = compare(want, got, allowance(&case, want.dtype())) {
                    let (name, on) = (&case.name, engine.name);
                    failures.push(format!("{name} on {on}: {error}\n  got  {got:?}\n  want {want:?}"));
                }
            }
        }
    }
    println!("{ran} runs");
    fail_with(failures, ran);
}

#[test]
fn failing_examples_report_exactly_their_constraint() {
    let mut failures = Vec::new();
    let all = all_examples();
    for (_, example) in &all {
        let Shows::Refusal(slug) = &example.shows else { continue };
        let text = program_text(example);
        let Err(diagnostics) = checked(&text) else {
            failures.push(format!("{}: should be refused by {slug}, but is accepted:\n{text}", example.name));
            continue;
        };
        let errors = || diagnostics.iter().filter(|d| d.is_error());
        if errors().any(|d| d.code != slug) || errors().count() == 0 {
            let shown = rendered(&diagnostics, &example.name, &text);
            failures.push(format!("{}: should be refused by {slug} alone, but:\n{shown}", example.name));
        }
        for d in errors() {
            if d.message.ends_with('.') || d.help.as_ref().is_none_or(|h| h.is_empty()) || d.labels.is_empty()
            {
                failures.push(format!(
                    "{}: {slug} wants a message without final stop, a place and a remedy: {d:?}",
                    example.name
                ));
            }
        }
    }
    fail_with(failures, all.len());
}

#[test]
fn examples_print_and_read_back_the_same() {
    let mut failures = Vec::new();
    for (_, example) in all_examples().iter().filter(|(_, e)| e.shows == Shows::Values) {
        let Ok(case) = build(example) else { continue };
        let options = mil_codec::text::Options::default();
        let printed = mil_codec::text::print(case.checked.program(), &options);
        match checked(&printed) {
            Ok(again) if mil_codec::text::print(again.program(), &options) == printed => {}
            Ok(again) => failures.push(format!(
                "{}: printed\n{printed}\nand then\n{}",
                case.name,
                mil_codec::text::print(again.program(), &options)
            )),
            Err(d) => failures.push(format!("{}:\n{}", case.name, rendered(&d, &case.name, &printed))),
        }
        if let Err(error) = through_package(&case, &printed) {
            failures.push(format!("{}: {error}", case.name));
        }
    }
    fail_with(failures, ALL.len());
}

/// Writes the program as a bare model, reads it again, and prints it: the same text.
fn through_package(case: &Case, printed: &str) -> Result<(), String> {
    let (bytes, _) = match mil_codec::package::write_model(case.checked.program(), None) {
        Ok(written) => written,
        // Some types cannot be inputs or outputs of a model.
        Err(d) if d.iter().all(|d| d.code == "package/feature-type") => return Ok(()),
        Err(d) => return Err(format!("{d:?}")),
    };
    let read = mil_codec::package::read_model(bytes.into()).map_err(|d| format!("{d:?}"))?;
    let body = |text: &str| text.split_once("{\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    let again = mil_codec::text::print(&read.program, &mil_codec::text::Options::default());
    if body(&again) == body(printed) {
        return Ok(());
    }
    Err(format!("through a package\n{printed}\nbecame\n{again}"))
}
