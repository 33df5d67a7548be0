//! The catalogue as a page of the book.

use super::{Constraint, limits, ops, surfaces};
use std::fmt::Write;

/// The tags that rows name as sources, each with what it stands for.
pub const SOURCES: &[(&str, &str)] = &[
    ("AF", "ANEForge 0.4.0 (arXiv 2606.17090), measured on M1 to M5"),
    (
        "AG",
        "the guide \"Apple Neural Engine: Architecture, Programming, and Performance\" (arXiv 2606.22283), measured on M1, M2 and M5, tables decompiled",
    ),
    ("AI", "ane-infer and maderix/ANE issue 44, M5, macOS 26.3"),
    ("EE", "notes of the project eeANE, M2 mini, macOS 27.0.1"),
    ("ES", "Espresso, M3 Max"),
    ("FG", "the Apple Neural Engine field guide, M3 Max, macOS 26.3.1"),
    ("HO", "hollance/neural-engine, older chips under Core ML"),
    ("LIB", "libane and anecc, a Linux driver for M1, reverse-engineered"),
    ("LS", "landscape notes, M5 Max, macOS 27.0.1"),
    ("MI", "the crates mil_infer, mil_lint, mil_verify and milc, M4"),
    ("MX", "maderix/ANE, many machines"),
    ("OR", "Orion (arXiv 2603.06728), M4 Max"),
    ("RU", "rustane, M4 Max and M5 Max"),
    ("SEED", "the research this project starts from (dev-erik/ANE), M4 Max, macOS 15"),
    ("TMC", "generated bindings tmc/apple, macOS 26"),
];

/// The page `docs/book/catalogue.md`.
pub fn page() -> String {
    let mut text = String::from(
        "<!-- Generated from crates/mil-ane/src/catalogue: do not edit. `BLESS=1 cargo test -p mil-ane --test book` writes it. -->\n\n\
         # MIL on the ANE, constraint by constraint\n\n\
         One row is one observation, in our words. *Confidence* is high where two independent sources agree, or one that measured and one that\n\
         decompiled; medium for one that measured; low where it is inferred; contradicted where sources disagree, and then both sides stand. None was\n\
         confirmed by us on hardware. `milwright explain ane/S01` prints a row. The ids are those of `facts/ane-facts.md` section 3.\n",
    );
    section(&mut text, "Surfaces and I/O", surfaces::ROWS);
    section(&mut text, "Types, shapes and limits", limits::ROWS);
    section(&mut text, "Ops", ops::ROWS);
    text.push_str("\n## Sources\n\n| tag | what it is |\n|---|---|\n");
    for (tag, what) in SOURCES {
        let _ = writeln!(text, "| {tag} | {what} |");
    }
    text
}

fn section(text: &mut String, heading: &str, rows: &[Constraint]) {
    let _ = write!(
        text,
        "\n## {heading}\n\n| id | rule | shows as | path | seen on | source | confidence |\n|---|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let against = row.against.map(|a| format!("<br>**Against it:** {a}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {}{against} | {} | {} | {} | {} | {} |",
            row.id,
            row.rule,
            row.shows_as(),
            row.ways(),
            row.seen,
            row.sources,
            row.confidence
        );
    }
}
