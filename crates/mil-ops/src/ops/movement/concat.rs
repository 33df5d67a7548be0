//! `concat`: tensors one after another along an axis.

use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::{by_size, element_size, output};
use mil_base::{Opset, Shape, TensorType, Type};
use mil_kernels::{StridedCopy, bytes_as, bytes_as_mut};

/// The card of `concat`.
pub static CONCAT: OpDef = OpDef {
    name: "concat",
    doc: Doc::page(include_str!("concat.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::variadic("values", sets::ANY),
            Param::constant("axis", sets::INT32),
            Param::constant("interleave", sets::BOOL).or(Default::Bool(false)),
        ],
    )],
    constraints: &[
        Constraint {
            slug: "concat/interleave-stated",
            rule: "interleave is written even where it is false: Apple's compiler refuses a program without it \
                   (research, MIL syntax lessons)",
        },
        Constraint {
            slug: "concat/axis-scalar",
            rule: "axis is a scalar, not a tensor of one element (research, MIL syntax lessons)",
        },
        Constraint { slug: "concat/axis-in-range", rule: "axis is in -rank..rank of the values" },
        Constraint { slug: "concat/same-dtype", rule: "all values have one dtype" },
        Constraint {
            slug: "concat/sizes-match",
            rule: "all values have one rank and the same sizes except along axis; with interleave, along it too",
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

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let values = cx.tys("values");
    let Some(&first) = values.first() else { return Err(cx.unknown("values")) };
    if !cx.has("interleave") {
        let message = "`interleave` is missing";
        cx.report("concat/interleave-stated", "interleave", message, "write `interleave = bool(false)`");
    }
    if let Some(axis) = cx.ty("axis")
        && axis.shape.rank() != 0
    {
        let message = format!("`axis` is {axis}, not a scalar");
        cx.report("concat/axis-scalar", "axis", message, "write `axis = int32(..)`");
    }
    let interleave = cx.need_bool("interleave")?;
    let axis = cx.need_int("axis")?;
    for other in &values[1..] {
        same_dtype(cx, "concat/same-dtype", first, other)?;
    }
    let rank = first.shape.rank();
    if rank == 0 && values.iter().all(|v| v.shape.rank() == 0) {
        return cx.one(first.dtype, Shape::known(&[values.len()]));
    }
    let axis = cx.axis("concat/axis-in-range", "axis", axis, rank)?;
    let mut dims = first.shape.0.clone();
    for other in &values[1..] {
        let fits = other.shape.rank() == rank
            && (0..rank).all(|d| (d == axis && !interleave) || other.shape[d].may_equal(first.shape[d]));
        if !fits {
            let message = format!("{} cannot stand behind {} along axis {axis}", other.shape, first.shape);
            let help = if interleave {
                "with interleave all shapes are the same"
            } else {
                "only the sizes along the axis may differ"
            };
            return Err(cx.refuse("concat/sizes-match", "values", message, help));
        }
        for (dim, other) in dims.iter_mut().zip(&*other.shape) {
            *dim = dim.merge(*other);
        }
    }
    dims[axis] = sum(values.iter().map(|v| v.shape[axis]));
    cx.one(first.dtype, Shape(dims))
}

/// Checks that two of several values have one dtype.
pub(super) fn same_dtype(
    cx: &mut Infer<'_>,
    slug: &'static str,
    first: &TensorType,
    other: &TensorType,
) -> Result<(), Refused> {
    if first.dtype == other.dtype {
        return Ok(());
    }
    let message = format!("`values` mixes {} and {}", first.dtype, other.dtype);
    Err(cx.refuse(slug, "values", message, "cast the values to one dtype"))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let values = call.all("values");
    let first = *values.first().ok_or_else(|| Failure::new("op/argument-unreadable", "`values` is empty"))?;
    if first.shape.is_empty() {
        return super::stack::stacked(values, 0);
    }
    let axis = axis_of(call.int("axis")?, first.shape.len())?;
    if call.bool("interleave")? {
        // Interleaved slices are those of a stack behind the axis, with both dimensions taken as one.
        let mut results = super::stack::stacked(values, axis + 1)?;
        for stack in &mut results {
            let n = stack.shape.remove(axis + 1);
            stack.shape[axis] *= n;
        }
        return Ok(results);
    }
    let mut shape = first.shape.clone();
    shape[axis] = 0;
    for value in values {
        let fits = value.shape.len() == shape.len()
            && (0..shape.len()).all(|d| d == axis || value.shape[d] == shape[d]);
        if !fits {
            let message =
                format!("{:?} cannot stand behind {:?} along axis {axis}", value.shape, first.shape);
            return Err(Failure::new("concat/sizes-match", message));
        }
        shape[axis] += value.shape[axis];
    }
    // The values lie one after another in `all`; each index of the result names a place in one of them.
    let all = super::stack::chained(values);
    let mut bounds = vec![(0, 0)];
    for value in values {
        let &(end, start) = bounds.last().unwrap_or(&(0, 0));
        bounds.push((end + value.shape[axis], start + value.count()));
    }
    let strides: Vec<Vec<usize>> = values.iter().map(|v| row_major(&v.shape)).collect();
    let from = each(&shape, |at| {
        let which = bounds.partition_point(|&(end, _)| end <= at[axis]) - 1;
        let (begin, start) = bounds[which];
        start + position(&strides[which], at) - begin * strides[which][axis]
    })?;
    Ok(vec![all.select(&shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let values = cx.tys("values")?;
    let rank = values.first().map_or(0, |v| v.shape.len());
    if rank == 0 {
        return side_by_side(cx, &vec![1; values.len()], 1);
    }
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let axis = axis_of(axis, rank)?;
    let before: usize = values[0].shape[..axis].iter().product();
    let after: usize = values[0].shape[axis + 1..].iter().product();
    if cx.view.bool("interleave") == Some(true) {
        return side_by_side(cx, &vec![after; values.len()], before * values[0].shape[axis]);
    }
    let widths: Vec<usize> = values.iter().map(|v| v.shape[axis] * after).collect();
    side_by_side(cx, &widths, before)
}

/// Values as matrices of `rows` rows, side by side: each row of the result is a row of each value in turn.
pub(super) fn side_by_side(cx: &CpuCx<'_>, widths: &[usize], rows: usize) -> Result<CpuKernel, Failure> {
    let (first, bytes) = (cx.need("values")?, element_size(cx, 0)?);
    let total: usize = widths.iter().sum();
    if widths.len() == 1 {
        return Ok(CpuKernel::view(first));
    }
    let mut copies = Vec::with_capacity(widths.len());
    let mut at = 0;
    for &width in widths {
        copies.push(StridedCopy::new(&[rows, width], 0, &[width, 1], at, &[total, 1]));
        at += width;
    }
    let alias = if rows == 1 { Alias::Join { first, count: widths.len() } } else { Alias::None };
    let kernel = CpuKernel::new(move |call| {
        for (i, copy) in copies.iter().enumerate() {
            let (x, pool) = (call.read(first + i)?, call.pool);
            let out = output(call, 0)?;
            if !x.is_empty() {
                by_size!(bytes, T => copy.run::<T>(bytes_as(x), bytes_as_mut(out), pool));
            }
        }
        Ok(())
    });
    Ok(kernel.alias(alias))
}
