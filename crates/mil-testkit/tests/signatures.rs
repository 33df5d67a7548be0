//! The signatures of the cards against `facts/mil-ops.json`, which was made from coremltools.

use mil_base::{DType, DTypes, Opset};
use mil_ops::contract::{Default, Need, Param, Version};
use mil_ops::ops::ALL;
use serde_json::Value;
use std::collections::BTreeSet;

/// The op set of a version in the facts; everything before iOS 15 starts there.
fn opset(name: &str) -> Option<Opset> {
    match name {
        "iOS13" | "iOS14" | "iOS15" => Some(Opset::Ios15),
        other => Opset::parse(&other.to_lowercase()),
    }
}

/// Is it an argument in MIL? Blocks and what coremltools keeps for itself are not.
fn is_argument(input: &Value) -> bool {
    let kind = input["kind"].as_str().unwrap_or_default();
    kind != "PyFunctionInputType" && !input["name"].as_str().unwrap_or_default().starts_with('_')
}

fn dtypes(input: &Value) -> Option<DTypes> {
    let names = input["types"].as_array()?;
    let parsed: Vec<DType> = names.iter().filter_map(|n| DType::parse(n.as_str()?)).collect();
    Some(DTypes::of(&parsed))
}

fn compare_param(param: &Param, fact: &Value, at: &str, wrong: &mut Vec<String>) {
    let optional = fact["optional"].as_bool().unwrap_or(false);
    if optional != matches!(param.need, Need::Optional(_)) {
        wrong.push(format!("{at}: optional should be {optional}"));
    }
    let constant = fact["const"].as_bool().unwrap_or(false);
    if constant != param.constant && fact["kind"] != "InternalInputType" {
        wrong.push(format!("{at}: constant should be {constant}"));
    }
    if let Some(wanted) = dtypes(fact)
        && wanted != param.dtypes
    {
        wrong.push(format!("{at}: takes {wanted}, the card says {}", param.dtypes));
    }
    let default = match (param.need, &fact["default"]) {
        (Need::Optional(Default::Int(v)), Value::Number(n)) => n.as_f64() == Some(v as f64),
        (Need::Optional(Default::Float(v)), Value::Number(n)) => n.as_f64() == Some(v),
        (Need::Optional(Default::Bool(v)), Value::Bool(b)) => v == *b,
        (Need::Optional(Default::Str(v)), Value::String(s)) => v == s,
        (Need::Optional(Default::Int(_) | Default::Float(_)), Value::Bool(_)) => true,
        (Need::Optional(Default::Int(_) | Default::Float(_) | Default::Bool(_) | Default::Str(_)), other) => {
            other.is_null() && fact.get("default").is_none()
        }
        _ => true,
    };
    if !default {
        wrong.push(format!("{at}: the default is {}, the card says {:?}", fact["default"], param.need));
    }
}

fn compare_version(version: &Version, facts: &Value, at: &str, wrong: &mut Vec<String>) {
    let inputs: Vec<&Value> =
        facts["inputs"].as_array().into_iter().flatten().filter(|i| is_argument(i)).collect();
    let wanted: BTreeSet<&str> = inputs.iter().filter_map(|i| i["name"].as_str()).collect();
    let stated: BTreeSet<&str> = version.params.iter().map(|p| p.name).collect();
    for name in wanted.symmetric_difference(&stated) {
        let what = if wanted.contains(name) { "is missing in the card" } else { "is not in the facts" };
        wrong.push(format!("{at}: `{name}` {what}"));
    }
    // The dtypes of a group are one set.
    for fact in &inputs {
        let name = fact["name"].as_str().unwrap_or_default();
        if let Some(param) = version.params.iter().find(|p| p.name == name) {
            compare_param(param, fact, &format!("{at} {name}"), wrong);
        }
    }
    // Groups: the same partition, whatever the letters are.
    for a in &inputs {
        for b in &inputs {
            let (na, nb) = (a["name"].as_str().unwrap_or_default(), b["name"].as_str().unwrap_or_default());
            let group = |n: &str| version.params.iter().find(|p| p.name == n).map(|p| p.group);
            let (Some(ga), Some(gb)) = (group(na), group(nb)) else { continue };
            let together = a["domain_id"].is_string() && a["domain_id"] == b["domain_id"];
            if na < nb && together != (!ga.is_empty() && ga == gb) {
                let what = if together { "one dtype group" } else { "different dtype groups" };
                wrong.push(format!("{at}: `{na}` and `{nb}` are in {what}"));
            }
        }
    }
}

/// Departures from the facts, with the reason.
const KNOWN: &[(&str, &str)] = &[];

#[test]
fn signatures_are_those_of_the_facts() {
    let Some(shared) = mil_testkit::shared() else { return };
    let text = std::fs::read_to_string(shared.join("facts/mil-ops.json")).expect("the facts are readable");
    let facts: Value = serde_json::from_str(&text).expect("the facts are JSON");
    let mut wrong = Vec::new();
    for def in ALL {
        let Some(versions) = facts["ops"][def.name]["versions"].as_array() else {
            println!("{}: not among the facts", def.name);
            continue;
        };
        // Versions before iOS 15 count as iOS 15: the last of them is in force.
        let mut wanted: Vec<(Opset, &Value)> = Vec::new();
        for version in versions {
            let Some(since) = version["opset"].as_str().and_then(opset) else { continue };
            wanted.retain(|(o, _)| *o != since);
            wanted.push((since, version));
        }
        let stated: Vec<Opset> = def.versions.iter().map(|v| v.since).collect();
        for (since, fact) in &wanted {
            match def.version(*since) {
                Some(version) => compare_version(version, fact, &format!("{} {since}", def.name), &mut wrong),
                None => wrong.push(format!("{} {since}: no signature in the card", def.name)),
            }
        }
        for since in stated.iter().filter(|s| !wanted.iter().any(|(o, _)| o == *s)) {
            wrong.push(format!("{} {since}: the facts have no version since then", def.name));
        }
    }
    wrong.retain(|w| !KNOWN.iter().any(|(known, _)| w.starts_with(known)));
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
