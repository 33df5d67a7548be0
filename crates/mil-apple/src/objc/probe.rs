//! What is really there: classes, methods, and the types of their arguments.

use crate::error::BridgeError;
use crate::ground::system;
use crate::platform;
use objc2::runtime::{AnyClass, Method, Sel};
use std::collections::HashSet;
use std::ffi::CString;
use std::sync::{Mutex, PoisonError};

/// A class by name; the frameworks are loaded first.
pub fn class(name: &str) -> Result<&'static AnyClass, BridgeError> {
    platform::load();
    let found = CString::new(name).ok().and_then(|name| AnyClass::get(&name));
    found.ok_or_else(|| BridgeError::MissingClass { class: name.to_owned(), system: system() })
}

/// A method in Apple's notation: kind, class, selector. Nothing if it is not such a notation.
pub fn parse(call: &str) -> Option<(char, &str, &str)> {
    let (kind, rest) = (call.chars().next()?, call.get(1..)?);
    let (class, selector) = rest.strip_prefix('[')?.strip_suffix(']')?.split_once(' ')?;
    matches!(kind, '+' | '-').then_some((kind, class, selector))
}

/// Makes sure that the method is there with these types. A second question about it costs a look into a table.
pub fn require(call: &'static str, types: &str) -> Result<(), BridgeError> {
    static KNOWN: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_with(HashSet::new);
    if known.contains(call) {
        return Ok(());
    }
    check(call, types)?;
    known.insert(call);
    Ok(())
}

/// Is the method there, whatever its types?
pub fn exists(call: &str) -> bool {
    method(call).is_ok()
}

fn method(call: &str) -> Result<&'static Method, BridgeError> {
    let (kind, class_name, selector) = parse(call).ok_or_else(|| BridgeError::MissingSelector {
        class: String::new(),
        selector: call.to_owned(),
        system: system(),
    })?;
    let class = class(class_name)?;
    let missing = || BridgeError::MissingSelector {
        class: class_name.to_owned(),
        selector: format!("{kind}{selector}"),
        system: system(),
    };
    let sel = Sel::register(&CString::new(selector).map_err(|_| missing())?);
    let found = if kind == '+' { class.class_method(sel) } else { class.instance_method(sel) };
    found.ok_or_else(missing)
}

fn check(call: &'static str, types: &str) -> Result<(), BridgeError> {
    let found = encoding(method(call)?);
    if normal(&found) == normal(types) {
        return Ok(());
    }
    let (kind, class, selector) = parse(call).unwrap_or(('-', "", call));
    Err(BridgeError::Encoding {
        class: class.to_owned(),
        selector: format!("{kind}{selector}"),
        expected: types.to_owned(),
        found,
        system: system(),
    })
}

/// The types of a method, return first, without frame offsets.
pub fn encoding(method: &Method) -> String {
    let arguments = (0..method.arguments_count()).filter_map(|i| method.argument_type(i));
    let arguments = arguments.map(|t| t.to_string_lossy().into_owned());
    std::iter::once(method.return_type().to_string_lossy().into_owned()).chain(arguments).collect()
}

/// An encoding without what differs between compilers and means the same: frame offsets, qualifiers such as `const`, the
/// names of classes, the fields of structures, and how BOOL and the 64-bit integers are spelt.
pub fn normal(types: &str) -> String {
    let mut out = String::new();
    let mut rest = types.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '0'..='9' | 'r' | 'n' | 'N' | 'o' | 'O' | 'R' | 'V' => {}
            '"' => while rest.next().is_some_and(|c| c != '"') {},
            'B' | 'c' | 'C' => out.push('B'),
            'q' | 'l' => out.push('q'),
            'Q' | 'L' => out.push('Q'),
            '{' => {
                out.push('{');
                let (mut depth, mut in_name) = (1, true);
                for c in rest.by_ref() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        '=' => in_name = false,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                    if in_name {
                        out.push(c);
                    }
                }
                out.push('}');
            }
            c => out.push(c),
        }
    }
    out
}

/// A method as a line of a dump: `-[Class selector:] types`.
pub fn dump(class_name: &str) -> Result<Vec<String>, BridgeError> {
    let class = class(class_name)?;
    let mut lines = Vec::new();
    for (kind, class) in [('-', class), ('+', class.metaclass())] {
        for method in class.instance_methods().iter() {
            let name = method.name().name().to_string_lossy();
            lines.push(format!("{kind}[{class_name} {name}] {}", encoding(method)));
        }
    }
    lines.sort();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_that_mean_the_same_are_equal() {
        assert_eq!(normal("B24@0:8@\"NSArray\"16"), normal("C@:@"));
        assert_eq!(normal("^{__IOSurface=}16@0:8"), "^{__IOSurface}@:");
        assert_eq!(normal("{a={b=ii}q}@:"), "{a}@:");
        assert_eq!(normal("r*@:"), "*@:");
        assert_ne!(normal("B@:I"), normal("B@:Q"));
    }

    #[test]
    fn apples_notation_is_read() {
        assert_eq!(parse("+[_ANEClient sharedConnection]"), Some(('+', "_ANEClient", "sharedConnection")));
        assert_eq!(parse("_ANEClient"), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let class = require("-[NoSuchClass x]", "v@:").unwrap_err();
        assert!(class.to_string().contains("no class `NoSuchClass`"), "{class}");
        let selector = require("-[NSObject noSuchThing:]", "v@:@").unwrap_err();
        assert!(selector.to_string().contains("no `-noSuchThing:`"), "{selector}");
        let types = require("-[NSObject hash]", "v@:@@@").unwrap_err();
        assert!(matches!(types, BridgeError::Encoding { .. }), "{types}");
    }
}
