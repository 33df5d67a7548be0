//! From what was found to a verdict: the page's table says what counts as repeated.

use crate::observation::{Observation, Value};
use crate::page::{Is, Row, Where};
use crate::system::Ground;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Was it repeated?
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", content = "why", rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything required was found.
    Repeated,
    /// Something else was found.
    Differs(Vec<String>),
    /// It could not be run here.
    CouldNotRun(String),
}

impl Verdict {
    /// Was it repeated?
    pub fn is_repeated(&self) -> bool {
        matches!(self, Verdict::Repeated)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Repeated => f.write_str("repeated"),
            Verdict::Differs(how) => write!(f, "differs: {}", how.join("; ")),
            Verdict::CouldNotRun(why) => write!(f, "could not run: {why}"),
        }
    }
}

/// Compares what was found with what the page requires on this ground. A table without a row that holds here proves nothing,
/// and so is no repetition.
pub fn judge(required: &[Row], found: &Observation, ground: Ground) -> Verdict {
    let here = |row: &&Row| match row.at {
        Where::Everywhere => true,
        Where::Double => ground == Ground::Double,
        Where::Machine => ground == Ground::Machine,
    };
    let rows: Vec<&Row> = required.iter().filter(here).collect();
    if rows.is_empty() {
        return Verdict::CouldNotRun("the page requires nothing here".to_owned());
    }
    let names = |row: &Row| row.findings().into_iter();
    let how: Vec<String> = rows
        .into_iter()
        .flat_map(|row| names(row).filter_map(|name| broken(&name, &row.is, found)))
        .collect();
    if how.is_empty() { Verdict::Repeated } else { Verdict::Differs(how) }
}

/// How a requirement is not met, if it is not.
fn broken(name: &str, is: &Is, found: &Observation) -> Option<String> {
    let Some(value) = found.finding(name) else {
        return Some(format!("`{name}` was not found"));
    };
    let holds = match (is, value) {
        (Is::Any, _) => true,
        (Is::Text(text), value) => value.to_string() == *text,
        (Is::Contains(text), value) => value.to_string().contains(text),
        (Is::AtMost(most), Value::Number(n)) => n <= most,
        (Is::AtLeast(least), Value::Number(n)) => n >= least,
        (Is::AtMost(_) | Is::AtLeast(_), Value::Text(_)) => false,
    };
    (!holds).then(|| format!("`{name}` is {value}, where {is} is required"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Finding;

    fn row(finding: &str, is: Is, at: Where) -> Row {
        Row { finding: finding.to_owned(), each: false, is, at }
    }

    #[test]
    fn each_requirement_can_fail() {
        let finding = |name: &str, value: Value| Finding { name: name.into(), value };
        let found = Observation {
            findings: vec![finding("a", true.into()), finding("n", 0.5.into())],
            ..Observation::default()
        };
        let one = |is: Is, name: &str| judge(&[row(name, is, Where::Everywhere)], &found, Ground::Double);
        assert!(one(Is::Text("YES".into()), "a").is_repeated());
        assert!(!one(Is::Text("NO".into()), "a").is_repeated());
        assert!(one(Is::Contains("E".into()), "a").is_repeated());
        assert!(!one(Is::Contains("x".into()), "a").is_repeated());
        assert!(one(Is::AtMost(0.5), "n").is_repeated());
        assert!(!one(Is::AtMost(0.4), "n").is_repeated());
        assert!(one(Is::AtLeast(0.5), "n").is_repeated());
        assert!(!one(Is::AtLeast(0.6), "n").is_repeated());
        assert!(!one(Is::AtMost(1.0), "a").is_repeated(), "a text is no number");
        assert!(!one(Is::Any, "missing").is_repeated());
    }

    #[test]
    fn a_requirement_holds_where_it_says() {
        let rows = [row("a", Is::Any, Where::Machine)];
        let nothing = Observation::default();
        assert!(matches!(judge(&rows, &nothing, Ground::Machine), Verdict::Differs(_)));
        assert!(matches!(judge(&rows, &nothing, Ground::Double), Verdict::CouldNotRun(_)));
    }
}
