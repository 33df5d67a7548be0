//! Every method of every double is one that Apple's class has, with the same types: against `facts/ane-selectors.md`.

use mil_apple::objc::probe;
use std::collections::HashMap;
use std::path::PathBuf;

/// Methods of every object, which doubles override.
const EVERY: [&str; 2] = ["-dealloc", "+allocWithZone:"];

fn shared() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("MILWRIGHT_SHARED").map_or_else(beside, PathBuf::from)
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
    let (result, error) = match result.strip_prefix('(').and_then(|r| r.strip_suffix(", error)")) {
        Some(result) => (result, "^@"),
        None => (result, ""),
    };
    let arguments = arguments.split(", ").filter(|a| !a.is_empty()).map(code);
    let all: String = std::iter::once(code(result)).chain(["@:".to_owned()]).chain(arguments).collect();
    let all = all + error;
    let given = probe::normal(&all);
    assert!(!given.is_empty(), "{selector}");
    Some(given)
}

fn code(word: &str) -> String {
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
        "VoidHandler" | "block" => "@?",
        _ => "@",
    }
    .to_owned()
}

/// Equal, where `^?` is a pointer to anything.
fn same(table: &str, double: &str) -> bool {
    match table.split_once("^?") {
        None => table == double,
        Some((before, after)) => {
            double.starts_with(before) && double.ends_with(after) && double[before.len()..].starts_with('^')
        }
    }
}

#[test]
fn doubles_have_the_methods_and_types_of_apples_classes() {
    let file = shared().join("facts/ane-selectors.md");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("skipped: no {}", file.display());
        return;
    };
    let (methods, classes) = table(&text);
    let (mut compared, mut wrong) = (0, Vec::new());
    for class in classes.iter().filter(|c| c.starts_with("_ANE")) {
        // A class of the table that no experiment needs has no double.
        let Ok(lines) = probe::dump(class) else { continue };
        for line in lines {
            let (method, types) = line.split_once("] ").unwrap();
            let bare = method.replace(&format!("[{class} "), "");
            if EVERY.contains(&bare.as_str()) {
                continue;
            }
            compared += 1;
            let double = probe::normal(types);
            match methods.get(&format!("{method}]")) {
                Some(known) if same(known, &double) => {}
                Some(known) => wrong.push(format!("{method}] is {double} and should be {known}")),
                None => wrong.push(format!("{method}] is in no table")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 250, "only {compared} methods were compared");
}
