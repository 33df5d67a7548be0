//! What `milwright explain` says: the manual pages of ops and lints, the meaning of every code and of the Neural Engine's errors and
//! constraints.

use mil_ops::OpSet;
use mil_ops::contract::OpDef;

/// A thing that can be explained.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    /// What to ask for.
    pub name: String,
    /// `op`, `code`, `lint`, `error` or `constraint`.
    pub kind: &'static str,
    /// The explanation, in Markdown.
    pub text: String,
}

/// Every topic, ops first, each kind by name.
pub fn topics() -> Vec<Topic> {
    let ops = OpSet::standard();
    let mut all: Vec<Topic> = ops.iter().map(op).collect();
    for def in ops.iter() {
        all.extend(def.constraints.iter().map(|c| constraint(def, c.slug, c.rule)));
    }
    for lint in mil_check::lints::ALL {
        all.push(Topic { name: lint.code.to_owned(), kind: "lint", text: lint.page.to_owned() });
    }
    for (slug, text) in CODES.iter().copied().flatten() {
        all.push(Topic { name: (*slug).to_owned(), kind: "code", text: format!("# {slug}\n\n{text}\n") });
    }
    all.extend(mil_ane::errors::all().map(|e| Topic {
        name: e.slug.to_owned(),
        kind: "error",
        text: e.page(),
    }));
    all.extend(mil_ane::catalogue::all().map(|c| Topic {
        name: c.slug.to_owned(),
        kind: "constraint",
        text: c.text(),
    }));
    all
}

/// The codes outside the cards, by crate.
static CODES: &[&[(&str, &str)]] = &[
    mil_syntax::codes::ALL,
    mil_codec::text::codes::ALL,
    mil_codec::codes::ALL,
    mil_ops::codes::ALL,
    mil_check::codes::ALL,
    mil_passes::codes::ALL,
    mil_run::codes::ALL,
    mil_apple::codes::ALL,
    crate::codes::ALL,
];

/// The topic of that name; else the names nearest to it, best first.
pub fn explain(name: &str) -> Result<Topic, Vec<String>> {
    let all = topics();
    if let Some(found) = all.iter().find(|t| t.name == name) {
        return Ok(found.clone());
    }
    let names: Vec<&str> = all.iter().map(|t| t.name.as_str()).collect();
    Err(mil_check::nearest(name, names).into_iter().map(str::to_owned).collect())
}

fn op(def: &OpDef) -> Topic {
    let mut text = def.doc.text().trim_end().replace("\n## Examples", "\n\n## Examples");
    text.push_str("\n\n");
    text.push_str(&signature(def));
    text.truncate(text.trim_end().len());
    text.push_str(&accuracy(def));
    Topic { name: def.name.to_owned(), kind: "op", text }
}

/// How near the runtime `cpu` is to the definition.
fn accuracy(def: &OpDef) -> String {
    format!(
        "\n\n## Accuracy\n\nThe runtime `cpu`, against the definition in f64, given the same inputs: {}.\n\n`exact` is equality. `hu` are half-units in the last place of the element, of which correct rounding costs up to 1; `of max` is \
         relative to the tensor's largest value; where terms of a sum `may cancel`, more is allowed for what the last digits of \
         the inputs move. Measured on random inputs: `docs/status.md`.\n",
        def.accuracy
    )
}

/// The signatures as a table, and the constraints.
fn signature(def: &OpDef) -> String {
    use mil_ops::contract::{Default, Need};
    let mut text = String::new();
    for version in def.versions {
        text.push_str(&format!("## Signature since {}\n\n", version.since));
        for p in version.params {
            let need = match p.need {
                Need::Required => "required".to_owned(),
                Need::Optional(Default::Absent) => "optional".to_owned(),
                Need::Optional(Default::Int(v)) => format!("default {v}"),
                Need::Optional(Default::Float(v)) => format!("default {v}"),
                Need::Optional(Default::Bool(v)) => format!("default {v}"),
                Need::Optional(Default::Str(v)) => format!("default \"{v}\""),
                Need::Optional(Default::Ints(v)) => format!("default {v:?}"),
                Need::Optional(Default::Computed(words)) => format!("default: {words}"),
            };
            let constant = if p.constant { ", known when compiled" } else { "" };
            let group = if p.group.is_empty() { String::new() } else { format!(" ({})", p.group) };
            text.push_str(&format!("- `{}`: {}{group}; {need}{constant}\n", p.name, p.dtypes));
        }
        text.push('\n');
    }
    if !def.constraints.is_empty() {
        text.push_str("## Constraints\n\n");
        for c in def.constraints {
            text.push_str(&format!("- `{}`: {}\n", c.slug, c.rule));
        }
    }
    text
}

fn constraint(def: &OpDef, slug: &str, rule: &str) -> Topic {
    let mut text = format!("# {slug}\n\nA constraint of `{}`: {rule}.\n", def.name);
    let fence = format!("```fails {slug}");
    let page = def.doc.text();
    let example = page.split(&fence).nth(1).and_then(|rest| rest.split_once('\n')?.1.split("```").next());
    if let Some(example) = example {
        text.push_str(&format!(
            "\nThis is refused because of it:\n\n    {}\n",
            example.trim().replace('\n', "\n    ")
        ));
    }
    text.push_str(&format!("\nSee `milwright explain {}`.\n", def.name));
    Topic { name: slug.to_owned(), kind: "code", text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ops_codes_and_constraints_are_explained() {
        assert!(explain("layer_norm").unwrap().text.contains("Signature since ios17"));
        assert!(explain("tanh").unwrap().text.contains("fp32 6 hu"));
        assert!(explain("layer_norm/epsilon-dtype").unwrap().text.contains("epsilon = fp32(1e-5)"));
        for code in ["syntax/too-deep", "blob/git-lfs-pointer", "file/not-found"] {
            assert_eq!(explain(code).unwrap().kind, "code");
        }
        let chaining = explain("ane/error-15").unwrap();
        assert!(chaining.kind == "error" && chaining.text.contains("Confidence: contradicted"));
        assert!(explain("ane/S03").unwrap().text.contains("alphabetical order"));
        assert!(explain("layernorm").unwrap_err().contains(&"layer_norm".to_owned()));
    }

    #[test]
    fn no_two_topics_have_one_name() {
        let mut names: Vec<String> = topics().into_iter().map(|t| t.name).collect();
        names.sort();
        let n = names.len();
        names.dedup();
        assert_eq!(names.len(), n);
    }
}
