//! The constraint catalogue: what the Neural Engine and the four ways to it are known to refuse, to get wrong, or to do slowly.
//!
//! Each row is one observation in our words, with where it was seen, by whom and how sure it is. Sources contradict each other often, because a
//! rule may hold on one path, chip or system and not on another: such rows state the other side and stay rows, not verdicts. A rule that a
//! program can be checked against becomes a card of its own later; this is the evidence it will cite.
//!
//! Source of all rows: `facts/ane-facts.md` section 3, whose ids they keep, and the sources tagged there ([`SOURCES`]). Nothing was confirmed by
//! us on hardware.

mod limits;
mod ops;
mod page;
mod surfaces;

pub use page::{SOURCES, page};

use crate::Confidence;

/// How a broken rule shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mode {
    /// The compile fails.
    CompileError,
    /// The compile succeeds, running fails.
    RunError,
    /// The result is wrong, and nothing says so.
    SilentlyWrong,
    /// It works, slowly.
    Slow,
    /// The op runs on the CPU or GPU instead.
    FallsBack,
    /// The process dies.
    Crash,
    /// The call does not return.
    Hang,
}

impl Mode {
    /// In a few words.
    pub fn name(self) -> &'static str {
        match self {
            Mode::CompileError => "compile error",
            Mode::RunError => "run-time error",
            Mode::SilentlyWrong => "silently wrong",
            Mode::Slow => "slow",
            Mode::FallsBack => "falls back to CPU or GPU",
            Mode::Crash => "crash",
            Mode::Hang => "hang",
        }
    }
}

/// A way to the engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Path {
    /// `_ANEInMemoryModel` (the runtime `ane`).
    InMemory,
    /// Core ML's E5 engine, or the e5rt C interface (`mle5`, `e5rt`).
    E5,
    /// The C function `ANECCompile`.
    Anec,
    /// Core ML's public interface (`coreml`).
    CoreMl,
}

impl Path {
    /// In a few words.
    pub fn name(self) -> &'static str {
        match self {
            Path::InMemory => "in-memory",
            Path::E5 => "E5 and e5rt",
            Path::Anec => "ANECCompile",
            Path::CoreMl => "Core ML",
        }
    }
}

/// One row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Constraint {
    /// `S01`: surfaces and I/O; `L01`: types, shapes, limits; `O01`: ops.
    pub id: &'static str,
    /// What `milwright explain` calls it, `ane/S01`.
    pub slug: &'static str,
    /// The rule, and what to do instead where that is known.
    pub rule: &'static str,
    /// How breaking it shows; empty where it is a property rather than a rule.
    pub modes: &'static [Mode],
    /// The ways on which it was seen; empty where no source says.
    pub paths: &'static [Path],
    /// Chips and systems on which it was seen, or that no source says.
    pub seen: &'static str,
    /// Who says so, by the tags of [`SOURCES`].
    pub sources: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
    /// What speaks against it.
    pub against: Option<&'static str>,
}

impl Constraint {
    /// The manual page, in Markdown.
    pub fn text(&self) -> String {
        let against = self.against.map(|a| format!("**Against it.** {a}\n\n")).unwrap_or_default();
        format!(
            "# {}\n\n{}\n\n{against}Shows as: {}. Seen on: {}; path: {}.\n\nSource: {} (`facts/ane-facts.md` section 3). Confidence: {}. Not confirmed by us on hardware.\n",
            self.slug,
            self.rule,
            self.shows_as(),
            self.seen,
            self.ways(),
            self.sources,
            self.confidence,
        )
    }

    /// The modes, in words.
    pub fn shows_as(&self) -> String {
        words(self.modes.iter().map(|m| m.name()), "nothing: a property, or refuted")
    }

    /// The paths, in words.
    pub fn ways(&self) -> String {
        words(self.paths.iter().map(|p| p.name()), "not stated")
    }
}

fn words<'a>(names: impl Iterator<Item = &'a str>, none: &str) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}

/// Every row: surfaces, then limits, then ops, each by number.
pub fn all() -> impl Iterator<Item = &'static Constraint> {
    surfaces::ROWS.iter().chain(limits::ROWS).chain(ops::ROWS)
}

/// The row of an id, `S01`.
pub fn find(id: &str) -> Option<&'static Constraint> {
    all().find(|c| c.id == id)
}

/// Rows of a table of [`Constraint`]: id, modes, paths, confidence, rule, seen on, sources, and what speaks against it if anything does.
macro_rules! rows {
    ($($id:literal [$($mode:ident)*] [$($path:ident)*] $confidence:ident $rule:literal, $seen:literal, $sources:literal $(, against $against:literal)?;)*) => {
        &[$(Constraint {
            id: $id,
            slug: concat!("ane/", $id),
            rule: $rule,
            modes: &[$(Mode::$mode),*],
            paths: &[$(Path::$path),*],
            seen: $seen,
            sources: $sources,
            confidence: Confidence::$confidence,
            against: rows!(@against $($against)?),
        }),*]
    };
    (@against) => { None };
    (@against $text:literal) => { Some($text) };
}
use rows;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_without_gaps_and_whole_sentences() {
        for (letter, rows) in [('S', surfaces::ROWS), ('L', limits::ROWS), ('O', ops::ROWS)] {
            for (number, row) in (1..).zip(rows) {
                assert_eq!(row.id, format!("{letter}{number:02}"));
                assert!(
                    row.rule.ends_with('.') && row.against.is_none_or(|a| a.ends_with('.')),
                    "{}",
                    row.id
                );
                assert!(!row.seen.is_empty() && !row.sources.is_empty(), "{}", row.id);
            }
        }
        assert_eq!(all().count(), 21 + 31 + 50, "as many as facts/ane-facts.md section 3 has");
    }

    #[test]
    fn what_is_contradicted_states_the_other_side() {
        for row in all().filter(|c| c.confidence == Confidence::Contradicted) {
            assert!(row.against.is_some(), "{}", row.id);
        }
    }

    #[test]
    fn every_source_is_named() {
        for row in all() {
            for tag in row.sources.split([',', ';']) {
                let tag = tag.split_whitespace().next().unwrap_or_default();
                assert!(SOURCES.iter().any(|(name, _)| *name == tag), "{}: {tag}", row.id);
            }
        }
    }

    #[test]
    fn a_row_is_found_by_its_id() {
        assert!(find("O02").unwrap().text().contains("tanh"));
        assert!(find("Z99").is_none());
    }
}
