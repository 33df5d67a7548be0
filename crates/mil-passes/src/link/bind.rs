//! Ports as users write them.

use super::Part;
use crate::codes;
use mil_base::Diagnostic;
use mil_check::nearest;
use std::fmt;
use std::str::FromStr;

/// An output and the input that it feeds.
///
/// An output without a program is the latest of that name before the input. An input without a program is that input of
/// every later program, so `y=x` chains any number of programs that turn an `x` into a `y`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bind {
    /// The output, `NAME` or `PROGRAM:NAME`.
    pub output: String,
    /// The input, `NAME` or `PROGRAM:NAME`.
    pub input: String,
}

impl FromStr for Bind {
    type Err = ();

    /// `OUTPUT=INPUT`.
    fn from_str(text: &str) -> Result<Bind, ()> {
        match text.split_once('=') {
            Some((output, input)) if !output.is_empty() && !input.is_empty() => {
                Ok(Bind { output: output.to_owned(), input: input.to_owned() })
            }
            _ => Err(()),
        }
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.output, self.input)
    }
}

/// The number of the program that `text` names before its first colon, if it has one, and the name after it.
///
/// Names of programs go before positions. Errors: `link/unknown-program`, `link/ambiguous-program`.
pub fn program_of<'t>(names: &[&str], text: &'t str) -> Result<(Option<usize>, &'t str), Diagnostic> {
    let Some((program, name)) = text.split_once(':') else { return Ok((None, text)) };
    let mut found = names.iter().enumerate().filter(|(_, n)| **n == program).map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(only), None) => return Ok((Some(only), name)),
        (Some(first), Some(second)) => {
            let message =
                format!("`{text}`: programs {} and {} are both called `{program}`", first + 1, second + 1);
            return Err(Diagnostic::error(codes::AMBIGUOUS_PROGRAM, message)
                .help(format!("name it by its position, as in `{}:{name}`", second + 1)));
        }
        (None, _) => {}
    }
    let position = program.parse::<usize>().ok();
    if let Some(position) = position.filter(|p| (1..=names.len()).contains(p)) {
        return Ok((Some(position - 1), name));
    }
    let message = format!("`{text}`: there is no program `{program}`");
    let near = nearest(program, names.iter().copied()).first().copied().filter(|_| position.is_none());
    let help = match near {
        Some(near) => format!("did you mean `{near}:{name}`?"),
        None => format!("the programs are 1 to {}: {}", names.len(), names.join(", ")),
    };
    Err(Diagnostic::error(codes::UNKNOWN_PROGRAM, message).help(help))
}

/// [`program_of`], where a port of that whole name goes before everything: names in packages may have colons.
pub(super) fn port<'t>(
    parts: &[Part<'_>],
    text: &'t str,
    exists: impl Fn(&str) -> bool,
) -> Result<(Option<usize>, &'t str), Diagnostic> {
    if exists(text) {
        return Ok((None, text));
    }
    let names: Vec<&str> = parts.iter().map(|p| p.name).collect();
    program_of(&names, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_named_or_counted() {
        let names = ["a", "b", "b", "1"];
        assert_eq!(program_of(&names, "y"), Ok((None, "y")));
        assert_eq!(program_of(&names, "a:y:0"), Ok((Some(0), "y:0")));
        assert_eq!(program_of(&names, "3:y"), Ok((Some(2), "y")));
        assert_eq!(program_of(&names, "1:y"), Ok((Some(3), "y")), "a name goes before a position");
        let code = |text| program_of(&names, text).map_err(|d| d.code);
        assert_eq!(code("b:y"), Err(codes::AMBIGUOUS_PROGRAM));
        for unknown in ["c:y", "0:y", "5:y", ":y"] {
            assert_eq!(code(unknown), Err(codes::UNKNOWN_PROGRAM), "{unknown}");
        }
    }

    #[test]
    fn a_binding_has_two_sides() {
        let bind: Bind = "A:y=2:x".parse().unwrap();
        assert_eq!((bind.output.as_str(), bind.input.as_str()), ("A:y", "2:x"));
        assert!(["y", "=x", "y=", ""].iter().all(|t| t.parse::<Bind>().is_err()));
    }
}
