//! `conv_quantized`: a convolution whose weights are bytes with a scale and an offset.

use super::common::{ConvSlugs, check_bias, check_channels, check_ranks, groups};
use super::conv::{cost, geometry};
use super::params::*;
use crate::contract::*;
use crate::support::window::{WindowSlugs, infer_windows};
use mil_base::{DType, DTypes, Dim, Opset, Shape, Type};

/// The card of `conv_quantized`.
pub static CONV_QUANTIZED: OpDef = OpDef {
    name: "conv_quantized",
    doc: Doc::page(include_str!("conv_quantized.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            X,
            Param::tensor("weight", BYTES).group("U"),
            Param::constant("bias", BYTES).group("U").or(Default::Absent),
            Param::constant("quantization_type", sets::STRING),
            Param::constant("nbits", sets::INT32).or(Default::Int(8)),
            Param::constant("quant_scale", sets::FLOAT).group("T"),
            Param::constant("quant_bias", sets::FLOAT).group("T"),
            STRIDES,
            PAD_TYPE,
            PAD,
            DILATIONS,
            GROUPS,
        ],
    )],
    constraints: &[
        Constraint { slug: "conv_quantized/rank", rule: "x has rank 3, 4 or 5, and weight the same" },
        Constraint {
            slug: "conv_quantized/channels",
            rule: "groups divides the channels of x and of the result, and weight has channels of x / groups on axis 1",
        },
        Constraint {
            slug: "conv_quantized/bias-size",
            rule: "bias is a vector with one element for each output channel",
        },
        Constraint {
            slug: "conv_quantized/quantization",
            rule: "quantization_type is linear, nbits 1 to 8, and quant_scale and quant_bias have one element or one for each output channel",
        },
        Constraint {
            slug: "conv_quantized/window-arguments",
            rule: "strides and dilations are 1 or more for each spatial axis, pad 0 or more before and after each, pad_type one of four",
        },
        Constraint {
            slug: "conv_quantized/window-fits",
            rule: "at least one window fits into the padded input",
        },
        Constraint {
            slug: "conv_quantized/same-lower-since-ios16",
            rule: "pad_type same_lower does not exist in ios15",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::Reference("an experimental op that no converter writes"),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost,
    accuracy: Accuracy::ROUNDED,
};

const BYTES: DTypes = DTypes::of(&[DType::UInt8]);

const SLUGS: ConvSlugs = ConvSlugs {
    rank: "conv_quantized/rank",
    channels: "conv_quantized/channels",
    bias: "conv_quantized/bias-size",
};

const WINDOWS: WindowSlugs = WindowSlugs {
    arguments: "conv_quantized/window-arguments",
    fits: "conv_quantized/window-fits",
    same_lower: "conv_quantized/same-lower-since-ios16",
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (x, weight) = (cx.need("x")?, cx.need("weight")?);
    check_ranks(cx, &SLUGS, x, weight)?;
    let groups = groups(cx, &SLUGS)?;
    let outputs = weight.shape[0];
    check_channels(cx, &SLUGS, groups, [x.shape[1], outputs, weight.shape[1]])?;
    check_bias(cx, &SLUGS, outputs)?;
    check_quantization(cx, outputs)?;
    let spatial = infer_windows(cx, &WINDOWS, &x.shape[2..], &weight.shape[2..])?;
    let mut shape = vec![x.shape[0], outputs];
    shape.extend(spatial);
    cx.one(x.dtype, Shape(shape))
}

fn check_quantization(cx: &mut Infer<'_>, outputs: Dim) -> Result<(), Refused> {
    let (slug, kind, bits) =
        ("conv_quantized/quantization", cx.need_str("quantization_type")?, cx.need_int("nbits")?);
    if kind != "linear" {
        let help = "use \"linear\", or constexpr_lut_to_dense and conv for weights with a table";
        cx.report(slug, "quantization_type", format!("quantization_type is \"{kind}\""), help);
    }
    if !(1..=8).contains(&bits) {
        cx.report(slug, "nbits", format!("nbits is {bits}"), "weights have 1 to 8 bits");
    }
    for name in ["quant_scale", "quant_bias"] {
        let shape = &cx.need(name)?.shape;
        let fits = |n: usize| outputs.may_equal(Dim::Known(n)) || n == 1;
        if !shape.count().is_some_and(fits) {
            let message = format!("`{name}` is {shape} and there are {outputs} output channels");
            cx.report(slug, name, message, format!("give a scalar, or a vector of {outputs}"));
        }
    }
    Ok(())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, weight) = (call.arg("x")?, call.arg("weight")?);
    let (geometry, shape) = geometry(call, &x.shape, &weight.shape)?;
    let (scale, offset) = (call.arg("quant_scale")?.f64s(), call.arg("quant_bias")?.f64s());
    let bias = call.get("bias").map(RefTensor::f64s);
    let outputs = shape[1];
    let fits = |n: usize| n == 1 || n == outputs;
    if !fits(scale.len()) || !fits(offset.len()) || bias.as_ref().is_some_and(|b| b.len() != outputs) {
        return Err(Failure::new(
            "conv_quantized/quantization",
            "scales, offsets or bias do not fit the weights",
        ));
    }
    let values = weight.f64s();
    let each = (values.len() / outputs.max(1)).max(1);
    let dense = values.iter().enumerate().map(|(i, w)| {
        let channel = i / each;
        w * scale[channel.min(scale.len() - 1)] + offset[channel.min(offset.len() - 1)]
    });
    let weights: Vec<f64> = dense.collect();
    let values = geometry.convolve(&x.f64s(), &weights, bias.as_deref());
    Ok(vec![RefTensor::floats(x.dtype, &shape, values)])
}
