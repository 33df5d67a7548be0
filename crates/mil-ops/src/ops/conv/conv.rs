//! `conv`: convolution over 1, 2 or 3 spatial axes.

use super::common::{ConvSlugs, Geometry, check_bias, check_channels, check_ranks, groups, kernel};
use super::params::*;
use crate::contract::*;
use crate::support::constness::is_constant;
use crate::support::plan::fusing;
use crate::support::window::{WindowArgs, WindowSlugs, infer_windows, with_kernel_window};
use mil_base::{Opset, Shape, Type};
use mil_kernels::conv::{Conv, ConvSpec};

/// The card of `conv`.
pub static CONV: OpDef = OpDef {
    name: "conv",
    doc: Doc::page(include_str!("conv.md")),
    versions: &[
        Version::new(Opset::Ios15, &[X, WEIGHT, BIAS, STRIDES, PAD_TYPE, PAD, DILATIONS, GROUPS]),
        Version::new(Opset::Ios17, &[X, WEIGHT_17, BIAS_17, STRIDES, PAD_TYPE, PAD, DILATIONS, GROUPS]),
    ],
    constraints: &[
        Constraint { slug: "conv/rank", rule: "x has rank 3, 4 or 5, and weight the same" },
        Constraint {
            slug: "conv/channels",
            rule: "groups divides the channels of x and of the result, and weight has channels of x / groups on axis 1",
        },
        Constraint {
            slug: "conv/bias-size",
            rule: "bias is a vector with one element for each output channel",
        },
        Constraint {
            slug: "conv/window-arguments",
            rule: "strides and dilations are 1 or more for each spatial axis, pad 0 or more before and after each, pad_type one of four",
        },
        Constraint { slug: "conv/window-fits", rule: "at least one window fits into the padded input" },
        Constraint {
            slug: "conv/same-lower-since-ios16",
            rule: "pad_type same_lower does not exist in ios15",
        },
        Constraint {
            slug: "conv/dynamic-weight-dilations",
            rule: "a weight that is computed when the program runs goes with dilations of 1",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: fusing(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost,
    accuracy: Accuracy::sum(4e-6),
};

const WEIGHT: Param = Param::tensor("weight", sets::FLOAT).group("T");

const SLUGS: ConvSlugs = ConvSlugs { rank: "conv/rank", channels: "conv/channels", bias: "conv/bias-size" };

const WINDOWS: WindowSlugs = WindowSlugs {
    arguments: "conv/window-arguments",
    fits: "conv/window-fits",
    same_lower: "conv/same-lower-since-ios16",
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (x, weight) = (cx.need("x")?, cx.need("weight")?);
    check_ranks(cx, &SLUGS, x, weight)?;
    let groups = groups(cx, &SLUGS)?;
    let (channels, outputs) = (x.shape[1], weight.shape[0]);
    check_channels(cx, &SLUGS, groups, [channels, outputs, weight.shape[1]])?;
    check_bias(cx, &SLUGS, outputs)?;
    let spatial = infer_windows(cx, &WINDOWS, &x.shape[2..], &weight.shape[2..])?;
    let dilated = cx.ints("dilations").is_some_and(|d| d.iter().any(|&d| d > 1));
    if dilated && !is_constant(&cx.view(), "weight") {
        cx.report(
            "conv/dynamic-weight-dilations",
            "dilations",
            "`weight` is computed when the program runs, and `dilations` are not all 1",
            "make the weight constant, or use dilations of 1",
        );
    }
    let mut shape = vec![x.shape[0], outputs];
    shape.extend(spatial);
    cx.one(x.dtype, Shape(shape))
}

/// The sizes of a convolution whose shapes are known, and the shape of its result.
pub(super) fn geometry(
    args: &impl crate::support::args::Args,
    x: &[usize],
    weight: &[usize],
) -> Result<(Geometry, Vec<usize>), Failure> {
    let groups = args.get_int("groups").and_then(|g| usize::try_from(g).ok()).unwrap_or(1);
    let (&[batch, channels, ref input @ ..], &[outputs, channels_in, ref kernel @ ..]) = (x, weight) else {
        return Err(Failure::new("conv/rank", "x and weight need batch and channel axes"));
    };
    let fits =
        groups > 0 && channels_in.checked_mul(groups) == Some(channels) && outputs.is_multiple_of(groups);
    if !fits {
        return Err(Failure::new(
            "conv/channels",
            format!("{channels} channels, {groups} groups and a weight of sizes {weight:?} do not fit"),
        ));
    }
    let windows = WindowArgs::read(args, input.len())
        .map_err(|wrong| Failure::new("conv/window-arguments", wrong.message))?;
    let slides = windows.slides("conv/window-fits", input, kernel)?;
    let mut shape = vec![batch, outputs];
    shape.extend(slides[3 - input.len()..].iter().map(|s| s.output));
    Ok((Geometry { batch, groups, channels_in, channels_out: outputs / groups, slides }, shape))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, weight) = (call.arg("x")?, call.arg("weight")?);
    let (geometry, shape) = geometry(call, &x.shape, &weight.shape)?;
    let bias = call.get("bias").map(RefTensor::f64s);
    if bias.as_ref().is_some_and(|b| b.len() != shape[1]) {
        return Err(Failure::new("conv/bias-size", "bias has not one element for each output channel"));
    }
    let values = geometry.convolve(&x.f64s(), &weight.f64s(), bias.as_deref());
    Ok(vec![RefTensor::floats(x.dtype, &shape, values)])
}

/// The weights are read where they lie: mapped from their file, or computed just before.
fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, weight) = (cx.ty("x")?, cx.ty("weight")?);
    let (geometry, _) = geometry(&cx.view, &x.shape, &weight.shape)?;
    let Geometry { batch, groups, channels_in, channels_out, slides } = geometry;
    let (channels, filters) = (channels_in * groups, channels_out * groups);
    let conv = with_kernel_window(&slides, |window| {
        Conv::new(&ConvSpec { n: batch, channels, filters, groups, window: *window }, cx.threads)
    });
    let conv = conv.ok_or_else(|| cx.unplanned("weight"))?;
    let scratch = conv.scratch_bytes(cx.threads);
    kernel(cx, scratch, move |x, weight, out, steps, operands, scratch, pool| {
        conv.run(x, weight, out, steps, operands, scratch, pool);
    })
}

/// Two operations for each product of an element of the result's window.
pub(super) fn cost(op: &OpView<'_>) -> Option<u64> {
    let weight = op.ty("weight")?.shape.sizes()?;
    let taps: usize = weight.get(1..)?.iter().product();
    let outputs = op.outputs().first().copied().flatten()?.shape.count()? as u64;
    outputs.checked_mul(2)?.checked_mul(taps as u64)
}
