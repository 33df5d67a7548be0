//! `reduce_argmax` and `reduce_argmin`: where along an axis the extreme element is.

use crate::contract::*;
use crate::support::axes::{Around, resolve};
use crate::support::elementwise::each;
use crate::support::plan::output;
use mil_base::{DType, Dim, Opset, Shape, Type, f16};
use mil_kernels::binary::Int;
use mil_kernels::reduce::arg_extreme;
use mil_kernels::{bytes_as, bytes_as_mut};

const PAGE: &str = include_str!("arg.md");

const VERSIONS: &[Version] = &[
    Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::NUMBER).group("T"),
            Param::constant("axis", sets::INT32).or(Default::Int(-1)),
            Param::constant("keep_dims", sets::BOOL).or(Default::Bool(false)),
        ],
    ),
    Version::new(
        Opset::Ios17,
        &[
            Param::tensor("x", sets::NUMBER).group("T"),
            Param::constant("axis", sets::INT32).or(Default::Int(-1)),
            Param::constant("keep_dims", sets::BOOL).or(Default::Bool(false)),
            Param::constant("output_dtype", sets::STRING).or(Default::Str("int32")),
        ],
    ),
];

macro_rules! row {
    ($name:literal, $largest:literal) => {
        OpDef {
            name: $name,
            doc: Doc::section(PAGE, $name),
            versions: VERSIONS,
            constraints: &[
                Constraint { slug: concat!($name, "/axis-in-range"), rule: "axis is in -rank..rank" },
                Constraint {
                    slug: concat!($name, "/axis-not-empty"),
                    rule: "the size of x along axis is not 0",
                },
                Constraint {
                    slug: concat!($name, "/output-dtype-known"),
                    rule: "output_dtype is int32 or uint16",
                },
            ],
            infer,
            reference: Reference::Rule(|call| reference(call, $largest)),
            cpu: Cpu::kernel(|cx| plan(cx, $largest)),
            gradient: Gradient::None("the output is an index"),
            ane: Ane::Todo("the Neural Engine's rules are a later issue"),
            cost: |op| each(op, 1),
            accuracy: Accuracy::EXACT,
        }
    };
}

/// The position of the largest element.
pub static REDUCE_ARGMAX: OpDef = row!("reduce_argmax", true);
/// The position of the smallest element.
pub static REDUCE_ARGMIN: OpDef = row!("reduce_argmin", false);

fn output_dtype(text: &str) -> Option<DType> {
    match text.to_ascii_lowercase().as_str() {
        "int32" => Some(DType::Int32),
        "uint16" => Some(DType::UInt16),
        _ => None,
    }
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let axis = cx.need_int("axis")?;
    let axis = cx.axis(cx.slug("axis-in-range"), "axis", axis, x.shape.rank())?;
    let keep = cx.need_bool("keep_dims")?;
    if x.shape[axis] == Dim::Known(0) {
        cx.report(
            cx.slug("axis-not-empty"),
            "x",
            format!("`x` is {} and has no elements along axis {axis}", x.shape),
            "there is no position to name: leave the op out where there is nothing to choose from",
        );
    }
    let dtype = match cx.version.param("output_dtype") {
        None => DType::Int32,
        Some(_) => {
            let text = cx.need_str("output_dtype")?;
            output_dtype(&text).ok_or_else(|| {
                cx.refuse(
                    cx.slug("output-dtype-known"),
                    "output_dtype",
                    format!("positions cannot be given as `{text}`"),
                    "use int32 or uint16",
                )
            })?
        }
    };
    let mut dims = x.shape.0.clone();
    if keep {
        dims[axis] = Dim::Known(1);
    } else {
        dims.remove(axis);
    }
    cx.one(dtype, Shape(dims))
}

/// The first position whose element no other beats; the first NaN, if there is one.
fn reference(call: &RefCall<'_>, largest: bool) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let axis = resolve(call.int("axis")?, x.shape.len())?;
    let around = Around::new(&x.shape, axis);
    if around.along == 0 {
        return Err(Failure::new("op/axis-not-empty", format!("axis {axis} has no elements")));
    }
    let values = x.f64s();
    let found = around.lines().map(|start| {
        let at = |place: usize| values[start + place * around.after];
        (1..around.along).fold(0, |best, place| {
            let (new, old) = (at(place), at(best));
            let better = if largest { new > old } else { new < old };
            if better || (new.is_nan() && !old.is_nan()) { place } else { best }
        }) as i64
    });
    let dtype = match call.version.param("output_dtype") {
        None => DType::Int32,
        Some(_) => output_dtype(&call.str("output_dtype")?).unwrap_or(DType::Int32),
    };
    let mut shape = x.shape.clone();
    if call.bool("keep_dims")? {
        shape[axis] = 1;
    } else {
        shape.remove(axis);
    }
    Ok(vec![RefTensor::ints(dtype, &shape, found.collect())])
}

fn plan(cx: &CpuCx<'_>, largest: bool) -> Result<CpuKernel, Failure> {
    fn kernel<T: bytemuck::Pod + Sync + PartialOrd, I: Int>(
        largest: bool,
        Around { before, along, after }: Around,
        x: usize,
    ) -> CpuKernel {
        CpuKernel::new(move |call| {
            let (x, out) = (bytes_as::<T>(call.read(x)?), bytes_as_mut::<I>(output(call.outputs)?));
            arg_extreme(largest, [before, along, after], x, out, call.pool);
            Ok(())
        })
    }
    let x = cx.ty("x")?;
    let axis = resolve(cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?, x.shape.len())?;
    let (around, slot) = (Around::new(&x.shape, axis), cx.need("x")?);
    if around.along == 0 {
        return Err(Failure::new("op/axis-not-empty", format!("axis {axis} has no elements")));
    }
    match (x.dtype, cx.outputs.first().map(|o| o.dtype)) {
        (DType::Fp32, Some(DType::Int32)) => Ok(kernel::<f32, i32>(largest, around, slot)),
        (DType::Fp16, Some(DType::Int32)) => Ok(kernel::<f16, i32>(largest, around, slot)),
        (DType::Int32, Some(DType::Int32)) => Ok(kernel::<i32, i32>(largest, around, slot)),
        (DType::Fp32, Some(DType::UInt16)) => Ok(kernel::<f32, u16>(largest, around, slot)),
        (DType::Fp16, Some(DType::UInt16)) => Ok(kernel::<f16, u16>(largest, around, slot)),
        (DType::Int32, Some(DType::UInt16)) => Ok(kernel::<i32, u16>(largest, around, slot)),
        _ => Err(cx.unplanned("x")),
    }
}
