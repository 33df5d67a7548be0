//! What a run of an experiment wrote down.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Everything that was found.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Observation {
    /// What happened, in the order it did.
    pub findings: Vec<Finding>,
    /// What was measured.
    pub figures: Vec<Figure>,
    /// Where each result was computed, and how that is known.
    pub placements: Vec<Placed>,
    /// Which arithmetic each matrix product fits, in full.
    pub arithmetic: Vec<Placed>,
    /// Lists that may be compared with those of another machine: selectors, symbols.
    pub dumps: Vec<Dump>,
}

/// A name and a value.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub name: String,
    /// What it was.
    pub value: Value,
}

/// A number or a text.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// Anything else.
    Text(String),
}

/// A measured quantity.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// The path it was measured on, `coreml` or `real-time`; empty where there is but one.
    pub path: String,
    /// The size of the program, `64x32`; empty where there is but one.
    pub size: String,
    /// `ms`, or empty for a difference.
    pub unit: String,
    /// The value and how it varied.
    pub spread: Spread,
}

/// The spread of repeated measurements.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Spread {
    /// Half were smaller.
    pub median: f64,
    /// One in ten was smaller.
    pub p10: f64,
    /// Nine in ten were smaller.
    pub p90: f64,
    /// How many there were.
    pub runs: usize,
}

/// A text about a result.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Placed {
    /// The result.
    pub of: String,
    /// The text.
    pub text: String,
}

/// A list of lines under a name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Dump {
    /// Its name, which is a file's when it is written.
    pub name: String,
    /// Its lines.
    pub lines: Vec<String>,
}

impl Observation {
    /// The finding of that name; the last one if it was looked at repeatedly.
    pub fn finding(&self, name: &str) -> Option<&Value> {
        self.findings.iter().rev().find(|f| f.name == name).map(|f| &f.value)
    }
}

impl From<f64> for Value {
    /// Numbers that JSON cannot hold become their text.
    fn from(n: f64) -> Value {
        if n.is_finite() { Value::Number(n) } else { Value::Text(n.to_string()) }
    }
}

impl From<usize> for Value {
    fn from(n: usize) -> Value {
        Value::Number(n as f64)
    }
}

impl From<bool> for Value {
    /// As Objective-C prints it in the research's logs.
    fn from(b: bool) -> Value {
        Value::Text(if b { "YES" } else { "NO" }.to_owned())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(n) => f.write_str(&number(*n)),
            Value::Text(text) => f.write_str(text),
        }
    }
}

/// A number as people write it: four significant digits, small ones with an exponent.
pub(crate) fn number(n: f64) -> String {
    let size = n.abs();
    if n == n.trunc() && size < 1e6 {
        return format!("{n}");
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{n:.2e}");
    }
    let digits = (3 - size.log10().floor() as i32).clamp(0, 6);
    let text = format!("{n:.*}", digits as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

impl Spread {
    /// The spread of some measurements. Nothing of none.
    pub fn of(mut all: Vec<f64>) -> Option<Spread> {
        all.sort_by(f64::total_cmp);
        let at = |share: usize| all.get(all.len().checked_sub(1)? * share / 100).copied();
        Some(Spread { median: at(50)?, p10: at(10)?, p90: at(90)?, runs: all.len() })
    }

    /// A single value.
    pub fn once(value: f64) -> Spread {
        Spread { median: value, p10: value, p90: value, runs: 1 }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&number(self.median))?;
        if self.runs > 1 {
            write!(f, " [{} to {}, {} runs]", number(self.p10), number(self.p90), self.runs)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases: [(f64, &str); 7] = [
            (0.175, "0.175"),
            (2.1e-5, "2.10e-5"),
            (12.0, "12"),
            (0.1708, "0.1708"),
            (131.26, "131.3"),
            (1.5e7, "1.50e7"),
            (0.0, "0"),
        ];
        for (n, text) in cases {
            assert_eq!(number(n), text);
        }
    }

    #[test]
    fn a_spread_knows_its_middle() {
        assert_eq!(Spread::of(vec![]), None);
        let s = Spread::of((1..=11).map(f64::from).collect()).unwrap();
        assert_eq!((s.median, s.p10, s.p90, s.runs), (6.0, 2.0, 10.0, 11));
        assert_eq!(s.to_string(), "6 [2 to 10, 11 runs]");
    }

    #[test]
    fn what_json_cannot_hold_becomes_text() {
        assert_eq!(Value::from(f64::NAN), Value::Text("NaN".into()));
        let json = serde_json::to_string(&Value::from(0.5)).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), Value::Number(0.5));
    }
}
