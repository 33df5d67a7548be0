//! Every code that the sources report can be explained.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// `kind/words-with-dashes`.
fn is_slug(text: &str) -> bool {
    let Some((kind, rest)) = text.split_once('/') else { return false };
    let word = |s: &str, also: char| {
        !s.is_empty() && s.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == also)
    };
    word(kind, '_') && word(rest, '-') && rest.chars().any(|c| c.is_ascii_lowercase())
}

/// The string literals that stand first after one of these calls.
const REPORTS: [&str; 6] =
    ["Diagnostic::error(", "Diagnostic::warning(", "Failure::new(", "refuse(", ".report(", "code: "];

#[test]
fn every_code_that_is_reported_is_explained() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(crates).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() {
            sources(&source, &mut files);
        }
    }
    let mut reported = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for call in REPORTS {
            for rest in text.split(call).skip(1) {
                let literal = rest.trim_start().strip_prefix('"').and_then(|r| r.split('"').next());
                reported.extend(literal.filter(|l| is_slug(l)).map(str::to_owned));
            }
        }
    }
    assert!(reported.len() > 100, "the search finds the codes: {}", reported.len());
    let explained: BTreeSet<String> = milwright::topics().into_iter().map(|t| t.name).collect();
    let missing: Vec<&String> = reported.difference(&explained).collect();
    assert!(missing.is_empty(), "reported but not explained: {missing:?}");
}
