//! `constexpr_affine_dequantize`: 8-bit weights with a scale and a zero point.

use super::blockwise;
use crate::contract::*;
use crate::support::axes;
use crate::support::index::*;
use mil_base::{DType, DTypes, Opset, Type};
use mil_kernels::expand::Scaled;

/// The card of `constexpr_affine_dequantize`.
pub static CONSTEXPR_AFFINE_DEQUANTIZE: OpDef = OpDef {
    name: "constexpr_affine_dequantize",
    doc: Doc::page(include_str!("constexpr_affine_dequantize.md")),
    versions: &[Version::new(
        Opset::Ios16,
        &[
            Param::constant("quantized_data", DTypes::of(&[DType::Int8, DType::UInt8])).group("SrcT"),
            Param::constant("zero_point", DTypes::of(&[DType::Fp32, DType::Int8, DType::UInt8]))
                .group("ZeroPointT"),
            Param::constant("scale", sets::FLOAT).group("DstT"),
            Param::constant("axis", sets::INT32),
        ],
    )],
    constraints: &[
        Constraint {
            slug: "constexpr_affine_dequantize/axis-in-range",
            rule: "axis is in -rank..rank of quantized_data",
        },
        Constraint {
            slug: "constexpr_affine_dequantize/one-per-slice",
            rule: "scale and zero_point are scalars or vectors with one element for each slice along axis",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::None("its arguments are constants"),
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::ROUNDED,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (data, scale) = (cx.need("quantized_data")?, cx.need("scale")?);
    let axis = cx.need_int("axis")?;
    let axis = cx.axis("constexpr_affine_dequantize/axis-in-range", "axis", axis, data.shape.rank())?;
    for name in ["scale", "zero_point"] {
        let ty = cx.need(name)?;
        let fits = match *ty.shape.0 {
            [] => true,
            [n] => n.may_equal(data.shape[axis]),
            _ => false,
        };
        if !fits {
            let message =
                format!("`{name}` is {} but axis {axis} has the size {}", ty.shape, data.shape[axis]);
            let help = "give a scalar, or a vector as long as the axis";
            cx.report("constexpr_affine_dequantize/one-per-slice", name, message, help);
        }
    }
    cx.one(scale.dtype, data.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (data, scale) = (call.arg("quantized_data")?, call.arg("scale")?);
    let axis = axis_of(call.int("axis")?, data.shape.len())?;
    let around = axes::Around::new(&data.shape, axis);
    let (scales, zeros) = (scale.f64s(), call.arg("zero_point")?.f64s());
    let of = |values: &[f64], slice: usize| match values {
        [one] => Ok(*one),
        many => many.get(slice).copied().ok_or_else(|| {
            Failure::new(
                "constexpr_affine_dequantize/one-per-slice",
                "there are too few scales or zero points",
            )
        }),
    };
    let value = |(i, q): (usize, f64)| {
        let slice = i / around.after.max(1) % around.along.max(1);
        Ok((q - of(&zeros, slice)?) * of(&scales, slice)?)
    };
    let values = data.f64s().into_iter().enumerate().map(value).collect::<Result<Vec<_>, Failure>>()?;
    Ok(vec![RefTensor::floats(scale.dtype, &data.shape, values)])
}

/// A slice along the axis is a block.
fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (data, scale, zero) = (cx.ty("quantized_data")?, cx.ty("scale")?, cx.ty("zero_point")?);
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let around = axes::Around::new(&data.shape, axis_of(axis, data.shape.len())?);
    let shape = [around.before, around.along, around.after];
    let plan = Scaled::new(&shape, &[1, scale.count().max(zero.count()), 1]);
    let mut plan = plan.ok_or_else(|| cx.unplanned("scale"))?;
    if scale.count() == 1 {
        plan = plan.common_scale();
    }
    if zero.count() == 1 {
        plan = plan.common_offset();
    }
    blockwise::by_blocks(cx, ["quantized_data", "zero_point"], plan)
}
