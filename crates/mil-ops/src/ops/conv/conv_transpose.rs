//! `conv_transpose`: the transpose of a convolution, which enlarges.

use super::common::{ConvSlugs, Geometry, check_bias, check_ranks, groups, kernel};
use super::params::*;
use crate::contract::*;
use crate::support::args::Args;
use crate::support::window::{Padding, Slide, WindowArgs};
use mil_base::{Dim, Opset, Shape, Type};
use mil_kernels::conv::ConvTranspose;
use mil_kernels::window::WindowSpec;

/// The card of `conv_transpose`.
pub static CONV_TRANSPOSE: OpDef = OpDef {
    name: "conv_transpose",
    doc: Doc::page(include_str!("conv_transpose.md")),
    versions: &[
        Version::new(
            Opset::Ios15,
            &[X, WEIGHT, BIAS, PAD, OUTPUT_SHAPE, PAD_TYPE, STRIDES, DILATIONS, GROUPS],
        ),
        Version::new(
            Opset::Ios17,
            &[X, WEIGHT_17, BIAS_17, PAD, OUTPUT_SHAPE, PAD_TYPE, STRIDES, DILATIONS, GROUPS],
        ),
    ],
    constraints: &[
        Constraint { slug: "conv_transpose/rank", rule: "x has rank 3, 4 or 5, and weight the same" },
        Constraint {
            slug: "conv_transpose/channels",
            rule: "axis 0 of weight is the channels of x, and groups divides them",
        },
        Constraint {
            slug: "conv_transpose/bias-size",
            rule: "bias is a vector with one element for each output channel: axis 1 of weight times groups",
        },
        Constraint {
            slug: "conv_transpose/window-arguments",
            rule: "strides and dilations are 1 or more for each spatial axis, pad 0 or more before and after each, pad_type valid, same or custom",
        },
        Constraint {
            slug: "conv_transpose/window-fits",
            rule: "at least one element is left when the pads are cut off",
        },
        Constraint {
            slug: "conv_transpose/output-shape",
            rule: "output_shape is the whole shape of the result: batch of x, output channels, positive spatial sizes",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| {
        let weight = op.ty("weight")?.shape.sizes()?;
        let taps: usize = weight.get(1..)?.iter().product();
        (op.ty("x")?.shape.count()? as u64).checked_mul(2)?.checked_mul(taps as u64)
    },
    accuracy: Accuracy::sum(2e-6),
};

const WEIGHT: Param = Param::constant("weight", sets::FLOAT).group("T");
const OUTPUT_SHAPE: Param = Param::constant("output_shape", sets::INT32).or(Default::Absent);

const SLUGS: ConvSlugs = ConvSlugs {
    rank: "conv_transpose/rank",
    channels: "conv_transpose/channels",
    bias: "conv_transpose/bias-size",
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (x, weight) = (cx.need("x")?, cx.need("weight")?);
    check_ranks(cx, &SLUGS, x, weight)?;
    let groups = groups(cx, &SLUGS)?;
    let (channels, from) = (x.shape[1], weight.shape[0]);
    let divides = |d: Dim| d.known().is_none_or(|n| n.is_multiple_of(groups));
    if !channels.may_equal(from) || !divides(channels) || !divides(from) {
        return Err(cx.refuse(
            "conv_transpose/channels",
            "weight",
            format!("x has {channels} channels, weight is {} and groups is {groups}", weight.shape),
            "axis 0 of weight must be the channels of x, and groups must divide them",
        ));
    }
    let outputs = weight.shape[1].map(|n| n.checked_mul(groups));
    check_bias(cx, &SLUGS, outputs)?;
    let windows = match read(&cx.view(), x.shape.rank() - 2) {
        Ok(windows) => windows,
        Err((argument, message)) => {
            return Err(cx.refuse(
                "conv_transpose/window-arguments",
                argument,
                message,
                "give one value of 1 or more for each spatial axis (pad: two of 0 or more), and pad_type \"valid\", \"same\" or \"custom\"",
            ));
        }
    };
    let wanted = output_shape(cx, x.shape[0], outputs, x.shape.rank())?;
    let mut shape = vec![x.shape[0], outputs];
    for (axis, (&size, &kernel)) in x.shape[2..].iter().zip(&weight.shape[2..]).enumerate() {
        let wanted = wanted.as_ref().map(|w| w[axis + 2]);
        shape.push(match (size, kernel, wanted) {
            (Dim::Known(size), Dim::Known(kernel), wanted) => {
                match slide(&windows, axis, size, kernel, wanted) {
                    Some(slide) => Dim::Known(slide.input),
                    None => {
                        return Err(cx.refuse(
                            "conv_transpose/window-fits",
                            "x",
                            format!("nothing is left of spatial axis {axis} of {size} elements"),
                            "use smaller pads",
                        ));
                    }
                }
            }
            (_, _, Some(wanted)) => Dim::Known(wanted),
            _ => Dim::Unknown,
        });
    }
    cx.one(x.dtype, Shape(shape))
}

/// The sliding parameters, or the wrong one and why.
fn read(args: &impl Args, spatial: usize) -> Result<WindowArgs, (&'static str, String)> {
    let windows = WindowArgs::read(args, spatial).map_err(|wrong| (wrong.argument, wrong.message))?;
    match windows.padding {
        Padding::SameLower => Err(("pad_type", "conv_transpose has no pad_type \"same_lower\"".to_owned())),
        _ => Ok(windows),
    }
}

/// The argument `output_shape`, checked.
fn output_shape(
    cx: &mut Infer<'_>,
    batch: Dim,
    outputs: Dim,
    rank: usize,
) -> Result<Option<Vec<usize>>, Refused> {
    if !cx.has("output_shape") {
        return Ok(None);
    }
    let listed = cx.need_ints("output_shape")?;
    let sizes: Option<Vec<usize>> = listed.iter().map(|&n| usize::try_from(n).ok()).collect();
    let fits = |sizes: &Vec<usize>| {
        sizes.len() == rank
            && batch.may_equal(Dim::Known(sizes[0]))
            && outputs.may_equal(Dim::Known(sizes[1]))
            && sizes[2..].iter().all(|&n| n > 0)
    };
    match sizes.filter(fits) {
        Some(sizes) => Ok(Some(sizes)),
        None => Err(cx.refuse(
            "conv_transpose/output-shape",
            "output_shape",
            format!("output_shape is {listed:?}, but the result is [{batch}, {outputs}, spatial sizes]"),
            format!("list all {rank} sizes of the result, the batch and the output channels first"),
        )),
    }
}

/// The windows along one axis as those of the convolution it transposes: `input` is the size of the result,
/// `output` that of `x`. Nothing if no element is left.
fn slide(
    windows: &WindowArgs,
    axis: usize,
    size: usize,
    kernel: usize,
    wanted: Option<usize>,
) -> Option<Slide> {
    let (stride, dilation) = (windows.strides[axis], windows.dilations[axis]);
    let reach = kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)?;
    let whole = size.checked_sub(1)?.checked_mul(stride)?.checked_add(reach)?;
    let (before, natural) = match windows.padding {
        Padding::Same | Padding::SameLower => {
            let natural = size.checked_mul(stride)?;
            (whole.saturating_sub(wanted.unwrap_or(natural)) / 2, natural)
        }
        Padding::Valid | Padding::Custom => {
            let (before, after) = windows.pad[axis];
            (before, whole.checked_sub(before.checked_add(after)?)?)
        }
    };
    let result = wanted.unwrap_or(natural);
    let after = whole.saturating_sub(result).saturating_sub(before);
    (result > 0).then_some(Slide { input: result, kernel, stride, dilation, before, after, output: size })
}

/// The sizes of a transposed convolution whose shapes are known, and the shape of its result.
fn geometry(args: &impl Args, x: &[usize], weight: &[usize]) -> Result<(Geometry, Vec<usize>), Failure> {
    let groups = args.get_int("groups").and_then(|g| usize::try_from(g).ok()).unwrap_or(1);
    let (&[batch, channels, ref input @ ..], &[from, channels_out, ref kernel @ ..]) = (x, weight) else {
        return Err(Failure::new("conv_transpose/rank", "x and weight need batch and channel axes"));
    };
    let outputs = channels_out.checked_mul(groups);
    let fits =
        groups > 0 && from == channels && channels.is_multiple_of(groups) && kernel.len() == input.len();
    let (Some(outputs), true, 1..=3) = (outputs, fits, input.len()) else {
        return Err(Failure::new(
            "conv_transpose/channels",
            format!("x of sizes {x:?}, weight of sizes {weight:?} and {groups} groups do not fit"),
        ));
    };
    let windows = read(args, input.len())
        .map_err(|(_, message)| Failure::new("conv_transpose/window-arguments", message))?;
    let wanted: Option<Vec<i64>> =
        args.given("output_shape").then(|| args.get_ints("output_shape").unwrap_or_default());
    let mut slides = [Slide::UNIT; 3];
    let mut shape = vec![batch, outputs];
    for axis in 0..input.len() {
        let wanted = wanted.as_ref().and_then(|w| usize::try_from(*w.get(axis + 2)?).ok());
        let slide = slide(&windows, axis, input[axis], kernel[axis], wanted).ok_or_else(|| {
            Failure::new("conv_transpose/window-fits", format!("nothing is left of spatial axis {axis}"))
        })?;
        shape.push(slide.input);
        slides[3 - input.len() + axis] = slide;
    }
    Ok((Geometry { batch, groups, channels_in: channels / groups, channels_out, slides }, shape))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, weight) = (call.arg("x")?, call.arg("weight")?);
    let (geometry, shape) = geometry(call, &x.shape, &weight.shape)?;
    let bias = call.get("bias").map(RefTensor::f64s);
    if bias.as_ref().is_some_and(|b| b.len() != shape[1]) {
        return Err(Failure::new(
            "conv_transpose/bias-size",
            "bias has not one element for each output channel",
        ));
    }
    let values = geometry.spread(&x.f64s(), &weight.f64s(), bias.as_deref());
    Ok(vec![RefTensor::floats(x.dtype, &shape, values)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, weight) = (cx.ty("x")?, cx.ty("weight")?);
    let (geometry, _) = geometry(&cx.view, &x.shape, &weight.shape)?;
    let Geometry { batch, groups, channels_in, channels_out, slides } = geometry;
    let window = WindowSpec {
        input: &slides.map(|s| s.output),
        kernel: &slides.map(|s| s.kernel),
        stride: &slides.map(|s| s.stride),
        dilation: &slides.map(|s| s.dilation),
        before: &slides.map(|s| s.before),
        after: &[0; 3],
        ceil: false,
    };
    let sizes = [batch, channels_in * groups, channels_out * groups, groups];
    let conv = ConvTranspose::new(sizes, &window, &slides.map(|s| s.input), cx.threads);
    let conv = conv.ok_or_else(|| cx.unplanned("weight"))?;
    let scratch = conv.scratch_bytes(cx.threads);
    kernel(cx, scratch, move |x, weight, out, steps, operands, scratch, pool| {
        conv.run(x, weight, out, steps, operands, scratch, pool);
    })
}
