//! What is really there: classes, methods, and the types of their arguments.

use crate::error::BridgeError;
use crate::ground::system;
use crate::platform;
use objc2::runtime::{AnyClass, AnyObject, Imp, Method, Sel};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::CString;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// A class by name; the frameworks are loaded first.
pub fn class(name: &str) -> Result<&'static AnyClass, BridgeError> {
    platform::load();
    let found = CString::new(name).ok().and_then(|name| AnyClass::get(&name));
    let found = found.filter(|_| !platform::is_hidden(name));
    found.ok_or_else(|| BridgeError::MissingClass { class: name.to_owned(), system: system() })
}

/// A method in Apple's notation: kind, class, selector. Nothing if it is not such a notation.
pub fn parse(call: &str) -> Option<(char, &str, &str)> {
    let (kind, rest) = (call.chars().next()?, call.get(1..)?);
    let (class, selector) = rest.strip_prefix('[')?.strip_suffix(']')?.split_once(' ')?;
    matches!(kind, '+' | '-').then_some((kind, class, selector))
}

/// Methods that were found to be as expected, by class (0 for the class in the notation) and call.
type Known = HashMap<(usize, &'static str), String>;

fn known() -> MutexGuard<'static, Known> {
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every method that the process has probed with success so far, in Apple's notation.
pub fn probed() -> Vec<String> {
    let mut all: Vec<String> = known().values().cloned().collect();
    all.sort();
    all.dedup();
    all
}

/// Makes sure that the method is there with these types. A second question about it costs a look into a table.
pub fn require(call: &'static str, types: &str) -> Result<(), BridgeError> {
    let hidden = platform::is_hidden(call) || parse(call).is_some_and(|(_, c, _)| platform::is_hidden(c));
    if !hidden && known().contains_key(&(0, call)) {
        return Ok(());
    }
    check(call, method(call)?, types)?;
    known().insert((0, call), call.to_owned());
    Ok(())
}

/// The same for the class that the object really has, whatever class `call` names: frameworks give objects of private
/// classes for public protocols and superclasses.
pub fn require_of(object: &AnyObject, call: &'static str, types: &str) -> Result<(), BridgeError> {
    implementation(object, call, types).map(drop)
}

/// As [`require_of`], and gives the method's address, for what objc2 cannot send: GCC knows no blocks, so that objc2 takes a
/// parameter which is one for something else.
pub fn implementation(object: &AnyObject, call: &'static str, types: &str) -> Result<Imp, BridgeError> {
    let class = object.class();
    let class_name = class.name().to_string_lossy();
    let (kind, _, selector) = parse(call).unwrap_or(('-', "", call));
    let name = format!("{kind}[{class_name} {selector}]");
    let sel = CString::new(selector).map(|s| Sel::register(&s)).ok();
    let found = sel.and_then(|sel| class.instance_method(sel)).filter(|_| !platform::is_hidden(&name));
    let found = found.ok_or_else(|| BridgeError::MissingSelector {
        class: class_name.into_owned(),
        selector: format!("{kind}{selector}"),
        system: system(),
    })?;
    let key = (std::ptr::from_ref(class).addr(), call);
    if let Entry::Vacant(place) = known().entry(key) {
        check(call, found, types)?;
        place.insert(name);
    }
    Ok(found.implementation())
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
    found.filter(|_| !platform::is_hidden(call)).ok_or_else(missing)
}

fn check(call: &'static str, method: &Method, types: &str) -> Result<(), BridgeError> {
    let found = encoding(method);
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
/// names of classes, the mark of blocks (which GCC does not know), the fields of structures, and how BOOL and the 64-bit
/// integers are spelt.
pub fn normal(types: &str) -> String {
    let mut out = String::new();
    let mut rest = types.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '0'..='9' | 'r' | 'n' | 'N' | 'o' | 'O' | 'R' | 'V' => {}
            '"' => while rest.next().is_some_and(|c| c != '"') {},
            '@' => {
                out.push('@');
                rest.next_if_eq(&'?');
            }
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
        assert_eq!(normal("v24@0:8@?16"), normal("v@:@"));
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
