//! The first confirmation on a Mac: everything safe, one file.

use crate::card::{Experiment, in_order};
use crate::evidence::Evidence;
use crate::judge::Verdict;
use crate::system::Ground;
use std::fmt::Write;

/// What is run: every experiment that is safe.
pub fn experiments() -> impl Iterator<Item = &'static Experiment> {
    in_order().into_iter().filter(|e| e.risk.is_safe())
}

/// What is left out, with the reason.
pub fn left_out() -> impl Iterator<Item = &'static Experiment> {
    in_order().into_iter().filter(|e| !e.risk.is_safe())
}

/// What is said at the end: the count, what differs, where the evidence is and how to send it.
pub fn summary(evidence: &Evidence, file: &str) -> String {
    let records = &evidence.records;
    let count = |is: fn(&Verdict) -> bool| records.iter().filter(|r| is(&r.verdict)).count();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} experiments: {} repeated, {} differ, {} could not run.",
        records.len(),
        count(Verdict::is_repeated),
        count(|v| matches!(v, Verdict::Differs(_))),
        count(|v| matches!(v, Verdict::CouldNotRun(_))),
    );
    let _ = writeln!(
        text,
        "All evidence is in {file}: findings, times, placements, selectors. It names the processor and the system, and no person, file or network address."
    );
    if records.iter().any(|r| r.ground == Ground::Double) {
        text.push_str("These results are of the doubles. They show that our code does what we believe the frameworks expect, and nothing about hardware.\n");
    } else {
        text.push_str("Please send it: open an issue at https://github.com/milwright/milwright/issues with the title \"Lab evidence\" and attach the file. A result that differs is worth as much as one that is repeated.\n");
    }
    let _ = writeln!(text, "To read it yourself: milwright lab report {file} -o report.html");
    text
}
