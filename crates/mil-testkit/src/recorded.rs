//! `tests/accuracy.json`: what was measured for every card, and whether the cards state that.

use crate::measure::{cases, gives};
use crate::measured::{FLOATS, Measured, half_unit, parts};
use crate::root;
use mil_base::DType;
use mil_ops::OpDef;
use mil_ops::contract::{Accuracy, Reference};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// So many random inputs a record is made of, at least.
pub const INPUTS: usize = 1000;

/// A part of a bound may be this many times what was needed. The worst of a thousand inputs is not the worst of all, and
/// sums are longer in models than in examples (their error grows with the root of the length): a factor of two for each.
pub const LOOSE: f64 = 4.0;

/// Measurements by op and dtype.
pub type Records = BTreeMap<(String, DType), Record>;

/// The outputs of one dtype of an op.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// The parts of the bound that the card stated then (see [`parts`]).
    pub stated: [f64; 3],
    /// What was measured.
    pub measured: Measured,
}

/// The file.
pub fn path() -> PathBuf {
    root().join("tests/accuracy.json")
}

/// Must the outputs of this dtype be measured? Those of an example, and those of which a card states more than equality.
/// Ops that the runtimes execute themselves only hand values on, and have nothing to measure.
pub fn expected(def: &'static OpDef) -> Result<Vec<DType>, String> {
    if matches!(def.reference, Reference::Runtime(_)) {
        return Ok(Vec::new());
    }
    let cases = cases(def)?;
    let is = |d: &DType| def.accuracy != Accuracy::EXACT || cases.iter().any(|c| gives(c, def, *d));
    Ok(FLOATS.into_iter().filter(is).collect())
}

/// The records of a text.
pub fn parse(text: &str) -> Result<Records, String> {
    let all: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut records = Records::new();
    for (op, dtypes) in all {
        for (dtype, value) in dtypes {
            let dtype = DType::parse(&dtype).ok_or_else(|| format!("{op}: `{dtype}` is no dtype"))?;
            records.insert((op.clone(), dtype), record(dtype, &value));
        }
    }
    Ok(records)
}

/// The text of records, a line an op.
pub fn text(records: &Records) -> String {
    let mut lines: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((op, dtype), record) in records {
        let line = format!("\"{dtype}\": {}", json_of(*dtype, record));
        lines.entry(op).or_default().push(line);
    }
    let lines: Vec<String> =
        lines.iter().map(|(op, each)| format!("\"{op}\": {{{}}}", each.join(", "))).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// The names of a bound's parts, in the order of [`parts`].
const PARTS: [&str; 3] = ["abs", "hu", "of_max"];

fn unit(dtype: DType, part: usize) -> f64 {
    if part == 1 { half_unit(dtype) } else { 1.0 }
}

/// Three digits, never less than the value.
fn up(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let shortest: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    let more: f64 = format!("{:.2e}", value * 1.005).parse().unwrap_or(value);
    // A number that was read may differ in its last digit from the one that was written.
    if shortest >= value * (1.0 - 1e-9) { shortest } else { more.max(shortest) }
}

fn json_of(dtype: DType, record: &Record) -> String {
    let parts = |values: [f64; 3]| {
        let each = (0..3).filter(|&p| values[p] > 0.0);
        let each = each.map(|p| format!("\"{}\": {}", PARTS[p], number(up(values[p] / unit(dtype, p)))));
        format!("{{{}}}", each.collect::<Vec<_>>().join(", "))
    };
    let Measured { inputs, elements, share, needs, excused, excuse, .. } = &record.measured;
    let (stated, needs, share) = (parts(record.stated), parts(*needs), number(up(*share)));
    let excused = match excused {
        0 => String::new(),
        n => format!(", \"excused\": {n}, \"excuse\": {}", number(up(*excuse))),
    };
    format!(
        "{{\"inputs\": {inputs}, \"elements\": {elements}, \"stated\": {stated}, \"needs\": {needs}, \"share\": {share}{excused}}}"
    )
}

/// JSON has no infinity.
fn number(value: f64) -> String {
    match value {
        v if !v.is_finite() => "null".to_owned(),
        v if v != 0.0 && v.abs() < 1e-3 => format!("{v:e}"),
        v => format!("{v}"),
    }
}

fn record(dtype: DType, value: &Value) -> Record {
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    let parts = |value: &Value| std::array::from_fn(|p| number(&value[PARTS[p]]) * unit(dtype, p));
    let measured = Measured {
        inputs: number(&value["inputs"]) as usize,
        elements: number(&value["elements"]) as usize,
        // Infinity is no number in JSON.
        share: value["share"].as_f64().unwrap_or(f64::INFINITY),
        needs: parts(&value["needs"]),
        excused: number(&value["excused"]) as usize,
        excuse: value.get("excuse").map_or(0.0, |v| v.as_f64().unwrap_or(f64::INFINITY)),
        ..Measured::default()
    };
    Record { stated: parts(&value["stated"]), measured }
}

/// What is wrong between a card's statement for `dtype` and its record: not measured as it stands, not enough, exceeded,
/// or much looser than needed.
pub fn faults(accuracy: Accuracy, dtype: DType, record: Option<&Record>) -> Vec<String> {
    let Some(Record { stated, measured }) = record else { return vec!["was never measured".to_owned()] };
    let mut faults = Vec::new();
    let now = parts(accuracy.bound(dtype));
    // The file has three digits.
    let same = |(a, b): (&f64, &f64)| (a - b).abs() <= 0.01 * a.abs().max(b.abs());
    if !now.iter().zip(stated).all(same) {
        faults.push("states something else now than when it was measured".to_owned());
    }
    if measured.inputs < INPUTS {
        faults.push(format!("was measured on {} inputs, not {INPUTS}", measured.inputs));
    }
    if measured.share > 1.0 {
        let (share, at) = (measured.share, &measured.at);
        faults.push(format!("differs by {share} times what it states {at}"));
    }
    if measured.excuse > 1.0 {
        let (excuse, at) = (measured.excuse, &measured.excused_at);
        faults.push(format!("differs by {excuse} times what cancelling terms excuse {at}"));
    }
    for part in 0..3 {
        let (stated, need, floor) = (now[part], measured.needs[part], floor(accuracy, dtype, part));
        if stated > floor && stated > LOOSE * need {
            let (name, unit) = (PARTS[part], unit(dtype, part));
            let (stated, need) = (up(stated / unit), up(need / unit));
            faults.push(format!(
                "states {stated} {name} where {need} was needed: more than {LOOSE} times as much"
            ));
        }
    }
    faults
}

/// A part of a bound that is no larger needs no measurement to justify it: a result cannot be nearer than half a unit in
/// the last place, of the element or for a sum of the largest, or of 1 where something may have been subtracted from
/// it; results below the normal numbers may be zero; fp16 results are computed in fp32, and have its absolute part too.
fn floor(accuracy: Accuracy, dtype: DType, part: usize) -> f64 {
    match part {
        0 if dtype == DType::Fp16 => 6.0e-8 + accuracy.fp32.abs,
        0 if accuracy.cancels => half_unit(dtype),
        0 => 1.02 * f64::from(f32::MIN_POSITIVE),
        _ => 1.02 * half_unit(dtype),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: Accuracy = Accuracy::ulps(4.0);

    fn measured(hu: f64) -> Record {
        let needs = [0.0, hu * half_unit(DType::Fp32), 0.0];
        let measured =
            Measured { inputs: INPUTS, elements: 5000, share: hu / 4.0, needs, ..Measured::default() };
        Record { stated: parts(CARD.bound(DType::Fp32)), measured }
    }

    fn found(record: &Record) -> String {
        faults(CARD, DType::Fp32, Some(record)).join("; ")
    }

    #[test]
    fn a_statement_is_what_was_measured() {
        assert_eq!(found(&measured(3.9)), "");
        assert_eq!(found(&measured(1.1)), "");
        assert!(found(&measured(4.1)).contains("differs by 1.0"));
        assert!(
            found(&measured(0.9)).contains("states 4 hu where 0.9 was needed"),
            "{}",
            found(&measured(0.9))
        );
        assert!(
            found(&Record { measured: Measured { inputs: 10, ..measured(3.0).measured }, ..measured(3.0) })
                .contains("10 inputs")
        );
        assert!(
            found(&Record { stated: parts(Accuracy::ulps(5.0).fp32), ..measured(3.0) })
                .contains("something else")
        );
        assert_eq!(faults(CARD, DType::Fp32, None), ["was never measured"]);
        assert!(
            found(&Record {
                measured: Measured { excuse: 1.5, excused: 1, ..measured(3.0).measured },
                ..measured(3.0)
            })
            .contains("excuse")
        );
    }

    #[test]
    fn half_a_unit_needs_no_justification() {
        let record = Record { stated: parts(Accuracy::ROUNDED.fp32), measured: measured(0.0).measured };
        assert_eq!(faults(Accuracy::ROUNDED, DType::Fp32, Some(&record)), Vec::<String>::new());
    }

    #[test]
    fn three_digits_stay_as_they_are() {
        for value in [2.6e-37, 0.861, 1.0, 3e-8] {
            assert_eq!((up(value), up(value * (1.0 + 1e-15))), (value, value));
            assert!(up(value * 1.001) > value);
        }
    }

    #[test]
    fn records_are_written_and_read() {
        let mut records = Records::new();
        records.insert(("elu".to_owned(), DType::Fp32), measured(3.0));
        let mut wild = measured(3.0);
        wild.measured.share = f64::INFINITY;
        records.insert(("elu".to_owned(), DType::Fp16), wild);
        let again = parse(&text(&records)).unwrap();
        assert_eq!(text(&again), text(&records));
        assert_eq!(again[&("elu".to_owned(), DType::Fp16)].measured.share, f64::INFINITY);
        assert!(again[&("elu".to_owned(), DType::Fp32)].measured.share >= 0.75);
    }
}
