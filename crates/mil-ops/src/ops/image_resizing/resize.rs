//! `resize`: the last axes of a given, perhaps computed, size.

use super::common::{Between, Resizing, cost_linear};
use super::grid::Sampling;
use crate::contract::*;
use crate::support::args::Args;
use mil_base::{DType, DTypes, Dim, Opset, Type};

/// The card of `resize`.
pub static RESIZE: OpDef = OpDef {
    name: "resize",
    doc: Doc::page(include_str!("resize.md")),
    versions: &[Version::new(
        Opset::Ios17,
        &[
            Param::tensor("x", sets::NUMBER).group("T"),
            Param::tensor("shape", DTypes::of(&[DType::Int16, DType::Int32, DType::UInt16, DType::UInt32]))
                .group("U"),
            Param::constant("resized_dims", DTypes::of(&[DType::UInt32])),
            Param::constant("interpolation_mode", sets::STRING).or(Default::Str("LINEAR")),
            Param::constant("sampling_mode", sets::STRING).or(Default::Str("DEFAULT")),
        ],
    )],
    constraints: &[
        Constraint {
            slug: "resize/shape",
            rule: "shape is a vector of at most rank(x) sizes of 0 (keep) or more, and resized_dims at most its length",
        },
        Constraint {
            slug: "resize/interpolation-mode",
            rule: "interpolation_mode is LINEAR or NEAREST_NEIGHBOR",
        },
        Constraint { slug: "resize/sampling-mode", rule: "sampling_mode is one of five" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(|cx| {
        let shape = cx.tensor("shape").ok_or_else(|| cx.unplanned("shape"))?.to_i64();
        let (x, wrong) = (cx.ty("x")?, || cx.unplanned("shape"));
        let dims = cx.view.int("resized_dims").and_then(|n| usize::try_from(n).ok()).ok_or_else(wrong)?;
        resizing(&cx.view, sizes(&x.shape, &shape, dims).ok_or_else(wrong)?)?.plan(cx)
    }),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| match op.str("interpolation_mode")?.as_str() {
        "LINEAR" => cost_linear(op),
        _ => Some(0),
    },
    accuracy: Accuracy::sum(4e-7),
};

fn between(name: &str) -> Option<Between> {
    match name {
        "LINEAR" => Some(Between::Linear),
        "NEAREST_NEIGHBOR" => Some(Between::Nearest),
        _ => None,
    }
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (x, shape) = (cx.need("x")?, cx.need("shape")?);
    check_modes(cx)?;
    let dims = cx.need_int("resized_dims")?;
    let length = match shape.shape.0.as_slice() {
        [length] => *length,
        _ => return Err(shape_refused(cx, format!("shape is {shape}"))),
    };
    let rank = x.shape.rank();
    let most = length.known().unwrap_or(rank);
    let Some(dims) = usize::try_from(dims).ok().filter(|&d| d <= most && d <= rank && most <= rank) else {
        let message = format!("x has rank {rank}, shape {length} sizes, and resized_dims is {dims}");
        return Err(shape_refused(cx, message));
    };
    let mut result = x.shape.clone();
    let new = &mut result.0[rank - dims..];
    match cx.tensor("shape").map(|t| t.to_i64()) {
        None => new.fill(Dim::Unknown),
        Some(listed) => {
            for (dim, &size) in new.iter_mut().rev().zip(listed.iter().rev()) {
                match usize::try_from(size) {
                    Ok(0) => {}
                    Ok(size) => *dim = Dim::Known(size),
                    Err(_) => return Err(shape_refused(cx, format!("shape is {listed:?}"))),
                }
            }
        }
    }
    cx.one(x.dtype, result)
}

fn shape_refused(cx: &mut Infer<'_>, message: String) -> Refused {
    let help =
        "give a vector of sizes (0 keeps a size) for the last axes; the last resized_dims of them are used";
    cx.refuse("resize/shape", "shape", message, help)
}

fn check_modes(cx: &mut Infer<'_>) -> Result<(), Refused> {
    let (mode, sampling) = (cx.need_str("interpolation_mode")?, cx.need_str("sampling_mode")?);
    if between(&mode).is_none() {
        cx.report(
            "resize/interpolation-mode",
            "interpolation_mode",
            format!("\"{mode}\" is no interpolation mode"),
            "use \"LINEAR\" or \"NEAREST_NEIGHBOR\"",
        );
    }
    if Sampling::parse(&sampling).is_none() {
        cx.report(
            "resize/sampling-mode",
            "sampling_mode",
            format!("\"{sampling}\" is no sampling mode"),
            format!("use {}", Sampling::NAMES),
        );
    }
    Ok(())
}

/// The new sizes of the last `dims` axes of `x`.
fn sizes(x: &[usize], shape: &[i64], dims: usize) -> Option<Vec<usize>> {
    let (old, listed) = (x.get(x.len().checked_sub(dims)?..)?, shape.get(shape.len().checked_sub(dims)?..)?);
    let size = |(&old, &new): (&usize, &i64)| match usize::try_from(new).ok()? {
        0 => Some(old),
        new => Some(new),
    };
    old.iter().zip(listed).map(size).collect()
}

fn resizing(args: &impl Args, sizes: Vec<usize>) -> Result<Resizing, Failure> {
    let wrong = || Failure::new("op/argument-unreadable", "the modes of resize cannot be read");
    let between = args.get_str("interpolation_mode").and_then(|m| between(&m)).ok_or_else(wrong)?;
    let sampling = args.get_str("sampling_mode").and_then(|m| Sampling::parse(&m)).ok_or_else(wrong)?;
    Ok(Resizing { between, sampling, sizes })
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, shape) = (call.arg("x")?, call.arg("shape")?.i64s());
    let dims = usize::try_from(call.int("resized_dims")?).ok();
    let sizes = dims.and_then(|dims| sizes(&x.shape, &shape, dims)).ok_or_else(|| {
        Failure::new("resize/shape", format!("shape {shape:?} does not fit x of sizes {:?}", x.shape))
    })?;
    Ok(vec![resizing(call, sizes)?.reference(x)?])
}
