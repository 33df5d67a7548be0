//! `facts/ane-selectors.md` as a table: every method of Apple's classes with its types.

use mil_apple::objc::probe;
use std::collections::HashMap;
use std::path::PathBuf;

fn shared() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("MILWRIGHT_SHARED").map_or_else(beside, PathBuf::from)
}

/// The table of the facts; nothing, and the reason printed, if they are not here.
pub(crate) fn known() -> Option<(HashMap<String, String>, Vec<String>)> {
    let file = shared().join("facts/ane-selectors.md");
    let text = std::fs::read_to_string(&file);
    if text.is_err() {
        println!("skipped: no {}", file.display());
    }
    text.ok().map(|text| table(&text))
}

/// Types of methods by `-[Class selector]`, as the table has them in words, and the classes.
fn table(text: &str) -> (HashMap<String, String>, Vec<String>) {
    let (mut methods, mut classes, mut class) = (HashMap::new(), Vec::new(), "");
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            class = name;
            classes.push(name.to_owned());
        }
        let Some((method, types)) = line.strip_prefix("- `").and_then(|l| l.split_once("` ")) else {
            continue;
        };
        let Some((kind, selector)) = method.split_once(' ') else { continue };
        if let Some(types) = encoding(selector, types) {
            methods.insert(format!("{kind}[{class} {selector}]"), types);
        }
    }
    (methods, classes)
}

/// `(id, uint32) → (BOOL, error)` as the runtime has it, with `?` where the table does not say.
fn encoding(selector: &str, types: &str) -> Option<String> {
    let (arguments, result) = types.strip_prefix('(')?.split_once(") → ")?;
    let out = |end| result.strip_prefix('(').and_then(|r| r.strip_suffix(end));
    let (result, error) = match (out(", error)"), out(", BOOL)")) {
        (Some(result), _) => (result, "^@"),
        (None, Some(result)) => (result, "^B"),
        (None, None) => (result, ""),
    };
    let arguments = arguments.split(", ").filter(|a| !a.is_empty()).map(code);
    let all: String = std::iter::once(code(result)).chain(["@:".to_owned()]).chain(arguments).collect();
    let all = all + error;
    let given = probe::normal(&all);
    assert!(!given.is_empty(), "{selector}");
    Some(given)
}

fn code(word: &str) -> String {
    // A reference to a structure of the C interface, `E5rt_io_portRef`.
    if let Some(name) = word.strip_prefix("E5rt").and_then(|w| w.strip_suffix("Ref")) {
        return format!("^{{e5rt{name}}}");
    }
    match word {
        "BOOL" => "B",
        "int" => "i",
        "uint32" => "I",
        "uint64" => "Q",
        "int64" => "q",
        "int8" => "c",
        "void" => "v",
        "IOSurfaceRef" => "^{__IOSurface}",
        "ptr" => "^?",
        "byte" => "C",
        "float64" => "d",
        "objc.Class" => "#",
        "VoidHandler" | "block" => "@?",
        _ => "@",
    }
    .to_owned()
}

/// Equal, where `^?` is a pointer to anything.
pub(crate) fn same(table: &str, double: &str) -> bool {
    match table.split_once("^?") {
        None => table == double,
        Some((before, after)) => {
            double.starts_with(before) && double.ends_with(after) && double[before.len()..].starts_with('^')
        }
    }
}
