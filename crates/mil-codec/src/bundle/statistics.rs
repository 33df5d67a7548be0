//! What `metadata.json` counts in a function: ops, and the types it computes with and stores.

use super::OpsetOf;
use mil_base::{DType, Opset, Type};
use mil_ir::{Binding, Constant, Function, Op, Payload, Program};
use std::collections::{BTreeMap, BTreeSet};

/// Counts of some functions.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Statistics {
    /// Ops by name, constants left out.
    pub(super) histogram: BTreeMap<String, u64>,
    /// Types that ops take and give.
    compute: BTreeSet<String>,
    /// Types in weight files.
    storage: BTreeSet<String>,
}

impl Statistics {
    /// Those of one function.
    pub(super) fn of(program: &Program, function: &Function, opset_of: OpsetOf<'_>) -> Statistics {
        let opset = Opset::parse(&function.opset).unwrap_or(Opset::Ios26);
        let mut found = Statistics::default();
        for (_, op) in function.ops.iter() {
            found.storage(program, op);
            if &*op.name == "const" {
                continue;
            }
            *found.histogram.entry(name(op, opset, opset_of)).or_default() += 1;
            let outputs = op.outputs.iter().map(|&v| &function.values[v].ty);
            let args = op.args.iter().flat_map(|(_, arg)| &arg.0).filter_map(|binding| match binding {
                Binding::Value(v) => Some(&function.values.get(*v)?.ty),
                Binding::Constant(c) => Some(&c.ty),
            });
            found.compute.extend(outputs.chain(args).filter_map(computes).map(str::to_owned));
        }
        found
    }

    /// Those of all functions together.
    pub(super) fn of_all(program: &Program, opset_of: OpsetOf<'_>) -> Statistics {
        let mut all = Statistics::default();
        program.functions.iter().for_each(|(_, f)| all.add(&Statistics::of(program, f, opset_of)));
        all
    }

    /// Adds the counts of another function.
    pub(super) fn add(&mut self, other: &Statistics) {
        for (name, count) in &other.histogram {
            *self.histogram.entry(name.clone()).or_default() += count;
        }
        self.compute.extend(other.compute.iter().cloned());
        self.storage.extend(other.storage.iter().cloned());
    }

    /// `Float16`, or `Mixed (Float16, Float32)`.
    pub(super) fn compute_precision(&self) -> Option<String> {
        words(&self.compute)
    }

    /// As [`Statistics::compute_precision`], of what is in weight files; nothing if there are none.
    pub(super) fn storage_precision(&self) -> Option<String> {
        words(&self.storage)
    }

    fn storage(&mut self, program: &Program, op: &Op) {
        let attributes = op.attributes.iter().map(|(name, c)| (name, c));
        let immediate = op.args.iter().flat_map(|(name, arg)| {
            arg.0.iter().filter_map(move |binding| match binding {
                Binding::Constant(c) => Some((name, c)),
                Binding::Value(_) => None,
            })
        });
        for (argument, constant) in attributes.chain(immediate) {
            let (Payload::Blob(_), Some(dtype)) = (&constant.payload, constant.ty.element()) else {
                continue;
            };
            let palette =
                op.name.starts_with("constexpr_lut_to_") && (*argument == "indices" || *argument == "lut");
            let word = match palette.then(|| index_bits(program, op)).flatten() {
                Some(bits) => format!("Palettized ({bits} bits)"),
                None => spelt(dtype).to_owned(),
            };
            self.storage.insert(word);
        }
    }
}

/// Bits of an index into the look-up table of a palettized weight.
fn index_bits(program: &Program, op: &Op) -> Option<usize> {
    let constant = |name: &str| -> Option<&Constant> {
        op.attribute(name).or_else(|| match op.arg(name)?.single()? {
            Binding::Constant(c) => Some(c),
            Binding::Value(_) => None,
        })
    };
    let indices = constant("indices")?.ty.element()?;
    if indices.is_packed() {
        return Some(indices.bits());
    }
    // Before iOS 18 indices are bytes of packed bits, and the table says how many.
    let entries = program.tensor(constant("lut")?)?.count();
    Some(entries.checked_ilog2()? as usize)
}

/// The name of an op as Core ML's own statistics spell it: `Ios16.reduceMean`.
///
/// Apple's op sets are not quite coremltools': a card's first op set is only the best guess. Arithmetic, `less` and `greater` were
/// seen as of iOS 17 where coremltools has them from the beginning (the other comparisons are taken to be like these), and
/// `select` without any op set.
fn name(op: &Op, function: Opset, opset_of: OpsetOf<'_>) -> String {
    let mut parts = op.name.split('_');
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(capitalised);
    let camel: String = std::iter::once(first.to_owned()).chain(rest).collect();
    let arithmetic = matches!(
        &*op.name,
        "add"
            | "sub"
            | "mul"
            | "real_div"
            | "maximum"
            | "minimum"
            | "pow"
            | "less"
            | "greater"
            | "less_equal"
            | "greater_equal"
            | "equal"
            | "not_equal"
    );
    let since = opset_of(&op.name, function).unwrap_or(function);
    let opset = match function {
        Opset::Ios15 => return capitalised(&camel),
        _ if &*op.name == "select" => return capitalised(&camel),
        Opset::Ios17 if !arithmetic => since.max(Opset::Ios16),
        other => other,
    };
    let prefix = capitalised(opset.text());
    format!("{prefix}.{camel}")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn computes(ty: &Type) -> Option<&'static str> {
    let dtype = match ty {
        Type::State(inner) => inner.element(),
        other => other.element(),
    }?;
    (dtype.is_float() || dtype.is_int()).then(|| spelt(dtype))
}

fn words(types: &BTreeSet<String>) -> Option<String> {
    let listed: Vec<&str> = types.iter().map(String::as_str).collect();
    match listed.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        many => Some(format!("Mixed ({})", many.join(", "))),
    }
}

fn spelt(dtype: DType) -> &'static str {
    match dtype {
        DType::Fp16 => "Float16",
        DType::Fp32 => "Float32",
        DType::Fp64 => "Float64",
        DType::Bf16 => "BFloat16",
        DType::Int4 => "Int4",
        DType::Int8 => "Int8",
        DType::Int16 => "Int16",
        DType::Int32 => "Int32",
        DType::Int64 => "Int64",
        DType::UInt1 => "UInt1",
        DType::UInt2 => "UInt2",
        DType::UInt3 => "UInt3",
        DType::UInt4 => "UInt4",
        DType::UInt6 => "UInt6",
        DType::UInt8 => "UInt8",
        DType::UInt16 => "UInt16",
        DType::UInt32 => "UInt32",
        DType::UInt64 => "UInt64",
        DType::Fp8E4M3Fn => "Float8E4M3FN",
        DType::Fp8E5M2 => "Float8E5M2",
        DType::Bool => "Bool",
        DType::String => "String",
    }
}
