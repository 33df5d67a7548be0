//! `docs/status.md` says for every op what there is and who tests it. It is made from the cards and from
//! `tests/conformance-counts.json`; `BLESS=1 cargo test -p mil-testkit --test status` writes it.

use mil_base::DType;
use mil_ops::OpDef;
use mil_ops::contract::{Ane, Bound, Cpu, Gradient, Reference, Version};
use mil_ops::ops::{ALL, FAMILIES};
use mil_testkit::page::{Example, Shows, examples};
use mil_testkit::{golden, root};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What stands above the tables.
const HEAD: &str = "\
# Status

What there is for every op, and who tests it. Made from the cards and from `tests/conformance-counts.json`; do not edit:
`BLESS=1 cargo test -p mil-testkit --test status` writes it, and the test fails when it is not current.

- **signatures**: the op sets in which the op's signature changed, each with the number of examples of its page that run under it. Every example is checked,
  run on the runtimes `reference` and `cpu`, compared with the values written there, and goes through text and package.
- **refusals**: examples that must be refused by one constraint and no other.
- **reference**, **cpu**: how the two runtimes execute it. `cpu` is a kernel of its own unless a reason says why not; such ops run by their reference rule.
- **accuracy**: how far `cpu` may be from `reference` given the same inputs, for fp16 and fp32 outputs: half-units in the last place of an element (`hu`),
  parts of the tensor's largest value (`of max`), and absolute. Random inputs hold every example to it (`tests/accuracy.rs` of mil-testkit).
- **coremltools**: tests of coremltools' own op suites, fp16 and fp32, with this op in their models: passed, and how many cannot pass, for the
  reasons in `tests/conformance-exceptions.txt`. `tests/conformance_counts.py` counts them from the results of a run.
";

fn column(bound: Bound, half_ulp: f64, tiny: f64) -> String {
    if bound == Bound::EXACT {
        return "exact".to_owned();
    }
    let mut parts = Vec::new();
    let rounded = (bound.rel / half_ulp * 10.0).round() / 10.0;
    if rounded > 0.0 {
        parts.push(format!("{rounded} hu"));
    }
    if bound.scale > 0.0 {
        parts.push(format!("{:e} of max", bound.scale));
    }
    if bound.abs > tiny {
        parts.push(format!("{:.0e}", bound.abs));
    }
    parts.join(" + ")
}

fn accuracy(def: &OpDef) -> String {
    let fp16 = column(def.accuracy.bound(DType::Fp16), 1.0 / 2048.0, 3e-8);
    let fp32 = column(def.accuracy.bound(DType::Fp32), 1.0 / 16_777_216.0, 1e-44);
    if fp16 == fp32 { fp16 } else { format!("fp16 {fp16}; fp32 {fp32}") }
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

fn row(def: &OpDef, counts: &Value) -> String {
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
        "| {} | {} | {refusals} | {reference} | {} | {} | {tests} |\n",
        def.name,
        signatures.join(", "),
        cpu(def),
        accuracy(def)
    )
}

fn page(counts: &Value) -> String {
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
            "\n## {family}\n\n| op | signatures | refusals | reference | cpu | accuracy | coremltools |\n|---|---|---|---|---|---|---|\n"
        );
        text.extend(defs.into_iter().map(|def| row(def, counts)));
    }
    text
}

#[test]
fn the_status_page_is_current() {
    let counts = std::fs::read_to_string(root().join("tests/conformance-counts.json")).unwrap();
    let counts: Value = serde_json::from_str(&counts).unwrap();
    golden::compare(&root().join("docs/status.md"), &page(&counts)).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn the_readme_counts_the_ops_right() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("| Ops | {}: ", ALL.len())), "there are {} ops", ALL.len());
}
