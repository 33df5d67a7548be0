//! `sliding_windows`: every window along an axis, as a new dimension.

use super::common::X_17;
use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::Walk;
use mil_base::{Dim, Opset, Type};

/// The card of `sliding_windows`.
pub static SLIDING_WINDOWS: OpDef = OpDef {
    name: "sliding_windows",
    doc: Doc::page(include_str!("sliding_windows.md")),
    versions: &[
        Version::new(Opset::Ios15, &[Param::tensor("x", sets::NUMBER).group("T"), AXIS, SIZE, STRIDE]),
        Version::new(Opset::Ios17, &[X_17, AXIS, SIZE, STRIDE]),
    ],
    constraints: &[
        Constraint { slug: "sliding_windows/axis-in-range", rule: "axis is in -rank..rank" },
        Constraint {
            slug: "sliding_windows/window-fits",
            rule: "size and stride are positive, and size is not larger than x along the axis",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

const AXIS: Param = Param::constant("axis", sets::INT32);
const SIZE: Param = Param::constant("size", sets::INT32);
const STRIDE: Param = Param::constant("stride", sets::INT32).or(Default::Int(1));
const FITS: &str = "sliding_windows/window-fits";

/// The number of windows, the size of each and the distance between them; nothing if they do not fit.
fn windows(total: usize, size: i64, stride: i64) -> Option<(usize, usize, usize)> {
    let (size, stride) = (usize::try_from(size).ok()?, usize::try_from(stride).ok()?);
    if size == 0 || stride == 0 {
        return None;
    }
    Some((total.checked_sub(size)? / stride + 1, size, stride))
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let axis = cx.need_int("axis")?;
    let axis = cx.axis("sliding_windows/axis-in-range", "axis", axis, x.shape.rank())?;
    let (size, stride) = (cx.need_int("size")?, cx.need_int("stride")?);
    let total = x.shape[axis];
    let Some((number, size, _)) = windows(total.known().unwrap_or(i64::MAX as usize), size, stride) else {
        let message = format!("windows of {size} in steps of {stride} do not fit an axis of size {total}");
        return Err(cx.refuse(
            FITS,
            "size",
            message,
            "size and stride are positive, and size at most that of x",
        ));
    };
    let mut shape = x.shape.clone();
    shape.0[axis] = total.map(|_| Some(number));
    shape.0.insert(axis + 1, Dim::Known(size));
    cx.one(x.dtype, shape)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let axis = axis_of(call.int("axis")?, x.shape.len())?;
    let found = windows(x.shape[axis], call.int("size")?, call.int("stride")?);
    let (number, size, stride) = found.ok_or_else(|| Failure::new(FITS, "the windows do not fit"))?;
    let mut shape = x.shape.clone();
    shape[axis] = number;
    shape.insert(axis + 1, size);
    let strides = row_major(&x.shape);
    let from = each(&shape, |at| {
        let mut place = at.to_vec();
        place[axis] = at[axis] * stride + place.remove(axis + 1);
        position(&strides, &place)
    })?;
    Ok(vec![x.select(&shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let x = cx.ty("x")?;
    let number = |name: &str| cx.view.int(name).ok_or_else(|| cx.unplanned(name));
    let axis = axis_of(number("axis")?, x.shape.len())?;
    let found = windows(x.shape[axis], number("size")?, number("stride")?);
    let (number, size, stride) = found.ok_or_else(|| Failure::new(FITS, "the windows do not fit"))?;
    let mut walk = Walk::over(&x.shape);
    let step = walk.steps[axis];
    walk.sizes[axis] = number;
    walk.steps[axis] = step * stride as isize;
    walk.sizes.insert(axis + 1, size);
    walk.steps.insert(axis + 1, step);
    walk.kernel(cx, cx.need("x")?, &x.shape)
}
