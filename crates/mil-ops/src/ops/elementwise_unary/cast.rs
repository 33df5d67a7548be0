//! `cast`: the same values in another element type.

use crate::contract::*;
use crate::support::plan::output;
use mil_base::{DType, DTypes, Opset, Type, f16};

/// The card of `cast`.
pub static CAST: OpDef = OpDef {
    name: "cast",
    doc: Doc::page(include_str!("cast.md")),
    versions: &[
        Version::new(
            Opset::Ios15,
            &[Param::tensor("x", sets::PLAIN).group("T"), Param::constant("dtype", sets::STRING)],
        ),
        Version::new(
            Opset::Ios17,
            &[Param::tensor("x", sets::PLAIN_17).group("T"), Param::constant("dtype", sets::STRING)],
        ),
    ],
    constraints: &[Constraint {
        slug: "cast/dtype-supported",
        rule: "dtype names one of the types x may have in that op set",
    }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let name = cx.need_str("dtype")?;
    let supported = cx.version.param("x").map_or(DTypes::of(&[]), |p| p.dtypes);
    match DType::parse(&name).filter(|&d| supported.contains(d)) {
        Some(dtype) => cx.one(dtype, x.shape.clone()),
        None => Err(cx.refuse(
            "cast/dtype-supported",
            "dtype",
            format!("`{name}` is not a type that `cast` makes"),
            format!("in {} it makes {supported}", cx.version.since),
        )),
    }
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let name = call.str("dtype")?;
    let dtype = DType::parse(&name)
        .ok_or_else(|| Failure::new("cast/dtype-supported", format!("`{name}` is not a type")))?;
    let floats =
        |round: fn(f64) -> f64| RefTensor::floats(dtype, &x.shape, x.f64s().into_iter().map(round).collect());
    Ok(vec![match dtype {
        DType::Fp16 => floats(|v| f16::from_f64(v).to_f64()),
        DType::Fp32 => floats(|v| f64::from(v as f32)),
        DType::Bool => RefTensor::bools(&x.shape, x.f64s().into_iter().map(|v| v != 0.0).collect()),
        _ => RefTensor::ints(dtype, &x.shape, integers(x, dtype)),
    }])
}

/// Floats truncated and saturated to `dtype`, NaN being 0; integers as they are, to be wrapped.
fn integers(x: &RefTensor, dtype: DType) -> Vec<i64> {
    match (&x.data, dtype.int_range()) {
        (RefData::Float(v), Some((low, high))) => {
            v.iter().map(|&v| i128::from(v as i64).clamp(low, high) as i64).collect()
        }
        _ => x.i64s(),
    }
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (from, x) = (cx.ty("x")?.dtype, cx.need("x")?);
    let to = cx.outputs.first().ok_or_else(|| cx.unplanned("x"))?.dtype;
    if from == to {
        return Ok(CpuKernel::view(x));
    }
    if !mil_kernels::cast::can_cast(from, to) {
        return Err(cx.unplanned("x"));
    }
    Ok(CpuKernel::new(move |call| {
        mil_kernels::cast::cast(from, to, call.read(x)?, output(call.outputs)?, call.pool);
        Ok(())
    }))
}
