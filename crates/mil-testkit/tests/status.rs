//! `docs/status.md` says for every op what there is and who tests it. It is made from the cards, `tests/accuracy.json` and
//! `tests/conformance-counts.json`; `BLESS=1 cargo test -p mil-testkit --test status` writes it.

use mil_base::DType;
use mil_ops::OpDef;
use mil_ops::contract::{Accuracy, Ane, Cpu, Gradient, Reference, Version};
use mil_ops::ops::{ALL, FAMILIES};
use mil_testkit::measured::FLOATS;
use mil_testkit::page::{Example, Shows, examples};
use mil_testkit::recorded::{self, Records};
use mil_testkit::{golden, root};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What stands above the tables.
const HEAD: &str = "\
# Status

What there is for every op, and who tests it. Made from the cards, `tests/accuracy.json` and `tests/conformance-counts.json`; do not edit:
`BLESS=1 cargo test -p mil-testkit --test status` writes it, and the test fails when it is not current.

- **signatures**: the op sets in which the op's signature changed, each with the number of examples of its page that run under it. Every example is checked,
  run on the runtimes `reference` and `cpu`, compared with the values written there, and goes through text and package.
- **refusals**: examples that must be refused by one constraint and no other.
- **reference**, **cpu**: how the two runtimes execute it. `cpu` is a kernel of its own unless a reason says why not; such ops run by their reference rule.
  On a Mac, `coreml`, `mle5`, `e5rt` and `ane` hand the program to Apple's frameworks; nobody has confirmed yet which ops those take (`milwright lab confirm`).
- **accuracy**: how far `cpu` may be from `reference` given the same inputs, for fp16 and fp32 outputs: half-units in the last place of an element (`hu`),
  parts of the tensor's largest value (`of max`), and absolute. Where terms `may cancel`, an element may also be off by 10 times what it moves when the last
  digit of every input does.
- **measured**: the part of the stated accuracy that the worst element needed, of at least 1,000 random inputs for each dtype: small, moderate, wide and positive
  values, in the sizes of the examples and others with sums of up to 2,000 terms, on one thread and two, every step against the reference's f64 before it is
  rounded. `tests/accuracy.json` has the details. A test fails when a part of a statement is exceeded, or is more than 4 times what was needed, or was
  changed since it was measured (`tests/accuracy.rs` of mil-testkit; CONTRIBUTING.md says how to measure). `-`: no floats come out, or the runtimes execute
  the op themselves and hand values on. Random ops are compared like others, given their seed; that the numbers are
  distributed as they should be, tests of their own show.
- **coremltools**: tests of coremltools' own op suites, fp16 and fp32, with this op in their models: passed, and how many cannot pass, for the
  reasons in `tests/conformance-exceptions.txt`. `tests/conformance_counts.py` counts them from the results of a run.
";

/// How much of what the card states the worst of the random inputs needed.
fn measured(def: &OpDef, records: &Records) -> String {
    let share = |dtype: DType| Some((dtype, records.get(&(def.name.to_owned(), dtype))?.measured.share));
    let shares: Vec<(DType, f64)> = FLOATS.into_iter().filter_map(share).collect();
    if shares.is_empty() {
        return "-".to_owned();
    }
    if def.accuracy == Accuracy::EXACT {
        return if shares.iter().all(|(_, s)| *s == 0.0) { "exact" } else { "**not exact**" }.to_owned();
    }
    let each = shares.iter().map(|(dtype, share)| format!("{dtype} {:.0} %", share * 100.0));
    each.collect::<Vec<_>>().join(", ")
}

/// The examples with values that run under a signature.
fn runs_under(def: &OpDef, version: &Version, examples: &[Example]) -> usize {
    let of = |e: &&Example| {
        e.shows == Shows::Values && def.version(e.opset).is_some_and(|v| v.since == version.since)
    };
    examples.iter().filter(of).count()
}

fn cpu(def: &OpDef) -> String {
    match def.cpu {
        Cpu::Kernel(_) => "kernel".to_owned(),
        Cpu::Reference(why) => format!("reference rule: {why}"),
        Cpu::Runtime(what) => format!("runtime: {what}"),
    }
}

fn row(def: &OpDef, counts: &Value, records: &Records) -> String {
    let examples = examples(def).unwrap_or_else(|e| panic!("{e}"));
    let signature = |v: &Version| format!("{} ({})", v.since, runs_under(def, v, &examples));
    let signatures: Vec<String> = def.versions.iter().map(signature).collect();
    let refusals = examples.iter().filter(|e| e.shows != Shows::Values).count();
    let reference = match def.reference {
        Reference::Rule(_) => "rule".to_owned(),
        Reference::Runtime(what) => format!("runtime: {what}"),
    };
    let number = |kind: &str| counts["ops"][def.name][kind].as_u64().unwrap_or(0);
    let tests = match (number("passed"), number("cannot"), number("failed")) {
        (0, 0, 0) => "none: examples only".to_owned(),
        (passed, 0, 0) => passed.to_string(),
        (passed, cannot, 0) => format!("{passed}, {cannot} cannot"),
        (passed, cannot, failed) => format!("{passed}, {cannot} cannot, **{failed} failed**"),
    };
    format!(
        "| {} | {} | {refusals} | {reference} | {} | {} | {} | {tests} |\n",
        def.name,
        signatures.join(", "),
        cpu(def),
        def.accuracy,
        measured(def, records)
    )
}

fn page(counts: &Value, records: &Records) -> String {
    let mut text = HEAD.to_owned();
    let number = |of: &dyn Fn(&&&OpDef) -> bool| ALL.iter().filter(|d| of(d)).count();
    let total = |kind: &str| counts["total"][kind].as_u64().unwrap_or(0);
    let tested = |d: &&&OpDef| counts["ops"][d.name]["passed"].as_u64().unwrap_or(0) > 0;
    let signatures: usize = ALL.iter().map(|d| d.versions.len()).sum();
    let shown: usize = ALL.iter().map(|d| examples(d).map_or(0, |e| e.len())).sum();
    let _ = write!(
        text,
        "\n| | |\n|---|---|\n| ops | {} with {signatures} signatures |\n| on `cpu` by a kernel | {} |\n| on `cpu` by their reference \
         rule | {} |\n| executed by the runtimes themselves | {} |\n| examples and refusals | {shown} |\n| ops that a passing test of \
         coremltools reaches | {} |\n| coremltools' op tests that reach a prediction | {} passed, {} cannot pass, {} failed |\n| \
         gradients to be written | {} |\n| Neural Engine rules to be written | {} |\n",
        ALL.len(),
        number(&|d| matches!(d.cpu, Cpu::Kernel(_))),
        number(&|d| matches!(d.cpu, Cpu::Reference(_))),
        number(&|d| matches!(d.cpu, Cpu::Runtime(_))),
        number(&tested),
        total("passed"),
        total("cannot"),
        total("failed"),
        number(&|d| matches!(d.gradient, Gradient::Todo(_))),
        number(&|d| matches!(d.ane, Ane::Todo(_))),
    );
    let mut families: BTreeMap<&str, Vec<&OpDef>> = BTreeMap::new();
    for (&def, &family) in ALL.iter().zip(FAMILIES) {
        families.entry(family).or_default().push(def);
    }
    for (family, mut defs) in families {
        defs.sort_by_key(|d| d.name);
        let _ = write!(
            text,
            "\n## {family}\n\n| op | signatures | refusals | reference | cpu | accuracy | measured | coremltools |\n|---|---|---|---|---|---|---|---|\n"
        );
        text.extend(defs.into_iter().map(|def| row(def, counts, records)));
    }
    text
}

#[test]
fn the_status_page_is_current() {
    let counts = std::fs::read_to_string(root().join("tests/conformance-counts.json")).unwrap();
    let counts: Value = serde_json::from_str(&counts).unwrap();
    let records = std::fs::read_to_string(recorded::path()).unwrap();
    let records = recorded::parse(&records).unwrap();
    golden::compare(&root().join("docs/status.md"), &page(&counts, &records))
        .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn the_readme_counts_the_ops_right() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("| Ops | {}: ", ALL.len())), "there are {} ops", ALL.len());
}

#[test]
fn an_op_that_no_test_of_coremltools_reaches_says_where_the_values_of_its_examples_come_from() {
    let counts = std::fs::read_to_string(root().join("tests/conformance-counts.json")).unwrap();
    let counts: Value = serde_json::from_str(&counts).unwrap();
    let silent: Vec<&str> = ALL
        .iter()
        .filter(|d| counts["ops"].get(d.name).is_none())
        .filter(|d| !["by hand", "compared with"].iter().any(|source| d.doc.page.contains(source)))
        .map(|d| d.name)
        .collect();
    assert!(silent.is_empty(), "say in the pages of {silent:?} what their examples were worked out with");
}
