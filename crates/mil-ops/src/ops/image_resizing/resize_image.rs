//! `resize_nearest_neighbor` and `resize_bilinear`: height and width of a given size.

use super::common::{Between, Resizing, cost_linear, need_image, with_image};
use super::grid::Sampling;
use crate::contract::*;
use crate::support::args::Args;
use mil_base::{Dim, Opset, Type};

/// The card of `resize_nearest_neighbor`.
pub static RESIZE_NEAREST_NEIGHBOR: OpDef = OpDef {
    name: "resize_nearest_neighbor",
    doc: Doc::section(include_str!("resize_image.md"), "resize_nearest_neighbor"),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::FLOAT).group("T"),
            Param::constant("target_size_height", sets::INT32),
            Param::constant("target_size_width", sets::INT32),
        ],
    )],
    constraints: &[
        Constraint { slug: "resize_nearest_neighbor/rank", rule: "x has rank 3 or more" },
        Constraint { slug: "resize_nearest_neighbor/size", rule: "the target sizes are 1 or more" },
    ],
    infer: |cx| infer(cx, "resize_nearest_neighbor/rank", "resize_nearest_neighbor/size"),
    reference: Reference::Rule(|call| Ok(vec![resizing(call, Between::Before)?.reference(call.arg("x")?)?])),
    cpu: Cpu::kernel(|cx| resizing(&cx.view, Between::Before)?.plan(cx)),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

/// The card of `resize_bilinear`.
pub static RESIZE_BILINEAR: OpDef = OpDef {
    name: "resize_bilinear",
    doc: Doc::section(include_str!("resize_image.md"), "resize_bilinear"),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::FLOAT).group("T"),
            Param::constant("target_size_height", sets::INT32).or(Default::Int(1)),
            Param::constant("target_size_width", sets::INT32).or(Default::Int(1)),
            Param::constant("sampling_mode", sets::STRING).or(Default::Str("DEFAULT")),
        ],
    )],
    constraints: &[
        Constraint { slug: "resize_bilinear/rank", rule: "x has rank 3 or more" },
        Constraint { slug: "resize_bilinear/size", rule: "the target sizes are 1 or more" },
        Constraint { slug: "resize_bilinear/sampling-mode", rule: "sampling_mode is one of five" },
    ],
    infer: |cx| {
        let mode = cx.need_str("sampling_mode")?;
        if Sampling::parse(&mode).is_none() {
            cx.report(
                "resize_bilinear/sampling-mode",
                "sampling_mode",
                format!("\"{mode}\" is no sampling mode"),
                format!("use {}", Sampling::NAMES),
            );
        }
        infer(cx, "resize_bilinear/rank", "resize_bilinear/size")
    },
    reference: Reference::Rule(|call| Ok(vec![resizing(call, Between::Linear)?.reference(call.arg("x")?)?])),
    cpu: Cpu::kernel(|cx| resizing(&cx.view, Between::Linear)?.plan(cx)),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: cost_linear,
    accuracy: Accuracy::sum(1.5e-6),
};

const TARGETS: [&str; 2] = ["target_size_height", "target_size_width"];

fn infer(cx: &mut Infer<'_>, rank: &'static str, size: &'static str) -> Result<Vec<Type>, Refused> {
    let x = need_image(cx, rank)?;
    let mut sizes = [Dim::Unknown; 2];
    for (name, dim) in TARGETS.iter().zip(&mut sizes) {
        let target = cx.need_int(name)?;
        if target < 1 {
            return Err(cx.refuse(size, name, format!("`{name}` is {target}"), "give a size of 1 or more"));
        }
        *dim = Dim::Known(target as usize);
    }
    cx.one(x.dtype, with_image(&x.shape, sizes))
}

fn resizing(args: &impl Args, between: Between) -> Result<Resizing, Failure> {
    let wrong = || Failure::new("op/argument-unreadable", "the target sizes or the sampling mode are wrong");
    let size = |name: &&str| usize::try_from(args.get_int(name)?).ok().filter(|&n| n > 0);
    let sizes: Option<Vec<usize>> = TARGETS.iter().map(size).collect();
    let mode = args.get_str("sampling_mode").unwrap_or_else(|| "DEFAULT".to_owned());
    let sampling = Sampling::parse(&mode).ok_or_else(wrong)?;
    Ok(Resizing { between, sampling, sizes: sizes.ok_or_else(wrong)? })
}
