//! Golden files: `errors/*.mil` with the diagnostics they get in `.txt`, `format/*.mil` with their layout in `.formatted`.
//!
//! `BLESS=1 cargo test -p mil-syntax --test golden` writes the expectations anew; read the difference before committing.

use mil_base::{Diagnostic, Label};
use mil_syntax::{codes, format, parse_bytes};
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "mil"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// Compares with the file beside the case, or writes it when blessing. Gives what is wrong.
fn compare(case: &Path, extension: &str, actual: &str) -> Option<String> {
    let path = case.with_extension(extension);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, actual).unwrap();
        return None;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    (expected != actual).then(|| format!("{}\n--- expected\n{expected}--- actual\n{actual}", path.display()))
}

fn line_and_column(text: &[u8], at: u32) -> (usize, usize) {
    let before = &text[..(at as usize).min(text.len())];
    let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
    let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1);
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}

fn show(text: &[u8], diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    let place = |label: &Label| {
        let span = label.span.expect("syntax diagnostics have spans");
        let (line, column) = line_and_column(text, span.start);
        let marked = &text[(span.start as usize).min(text.len())..(span.end as usize).min(text.len())];
        let marked = String::from_utf8_lossy(marked).escape_debug().take(40).collect::<String>();
        format!("{line}:{column} `{marked}` {}", label.message)
    };
    for d in diagnostics {
        let severity = format!("{:?}", d.severity).to_lowercase();
        writeln!(out, "{severity} {}: {}", d.code, d.message).unwrap();
        for label in &d.labels {
            writeln!(out, "  at {}", place(label)).unwrap();
        }
        writeln!(out, "  help: {}", d.help.as_deref().expect("every syntax diagnostic names a remedy"))
            .unwrap();
    }
    out
}

#[test]
fn every_mistake_is_reported_with_its_remedy() {
    let mut seen = std::collections::BTreeSet::new();
    let mut wrong = Vec::new();
    for path in cases("errors") {
        let text = std::fs::read(&path).unwrap();
        let parsed = parse_bytes(&text);
        assert!(!parsed.diagnostics.is_empty(), "{} has no mistake", path.display());
        seen.extend(parsed.diagnostics.iter().map(|d| d.code));
        wrong.extend(compare(&path, "txt", &show(&text, &parsed.diagnostics)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A text of 4 GiB is too much for a test; the others need long texts and are in `limits.rs`.
    let elsewhere = [codes::TOO_LARGE, codes::TOO_MANY_ERRORS, codes::TOO_DEEP];
    for (code, _) in codes::ALL {
        assert!(seen.contains(code) || elsewhere.contains(code), "no case in tests/errors reports {code}");
    }
}

#[test]
fn layout_is_canonical_and_stable() {
    let mut wrong = Vec::new();
    for path in cases("format") {
        let text = std::fs::read_to_string(&path).unwrap();
        let once = format(&text).unwrap_or_else(|d| panic!("{}: {d:?}", path.display()));
        assert_eq!(format(&once).as_ref(), Ok(&once), "{} is laid out anew every time", path.display());
        wrong.extend(compare(&path, "formatted", &once));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
