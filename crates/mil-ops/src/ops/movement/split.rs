//! `split`: a tensor cut into pieces along an axis.

use super::common::X;
use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::{by_size, element_size, output};
use mil_base::{Dim, Opset, Type};
use mil_kernels::{StridedCopy, bytes_as, bytes_as_mut};

/// The card of `split`.
pub static SPLIT: OpDef = OpDef {
    name: "split",
    doc: Doc::page(include_str!("split.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            X,
            Param::constant("num_splits", sets::INT32).or(Default::Absent),
            Param::constant("split_sizes", sets::INT32).or(Default::Absent),
            Param::constant("axis", sets::INT32),
        ],
    )
    .outputs(Outputs::Varies("one for each piece"))],
    constraints: &[
        Constraint { slug: "split/axis-in-range", rule: "axis is in -rank..rank" },
        Constraint {
            slug: "split/number-stated",
            rule: "num_splits or split_sizes is given; num_splits is positive and, with split_sizes, their number",
        },
        Constraint {
            slug: "split/sizes-add-up",
            rule: "split_sizes are not negative and add up to the size of x; without them num_splits divides it",
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

/// Pieces at most: a program states each output by name.
const MOST_PIECES: i64 = 1 << 16;

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let axis = cx.need_int("axis")?;
    let axis = cx.axis("split/axis-in-range", "axis", axis, x.shape.rank())?;
    let number = if cx.has("num_splits") { Some(cx.need_int("num_splits")?) } else { None };
    let sizes = if cx.has("split_sizes") { Some(cx.need_ints("split_sizes")?) } else { None };
    let number = match (number, &sizes) {
        (Some(n), Some(sizes)) if n != sizes.len() as i64 => {
            let message = format!("`num_splits` is {n} but there are {} `split_sizes`", sizes.len());
            return Err(cx.refuse("split/number-stated", "num_splits", message, "leave `num_splits` out"));
        }
        (_, Some(sizes)) => sizes.len(),
        (Some(n), None) if (1..=MOST_PIECES).contains(&n) => n as usize,
        (Some(n), None) => {
            let message = format!("x cannot be cut into {n} pieces");
            return Err(cx.refuse("split/number-stated", "num_splits", message, "give a number from 1 on"));
        }
        (None, None) => {
            let help = "give `num_splits` for equal pieces, or `split_sizes`";
            return Err(cx.refuse(
                "split/number-stated",
                "num_splits",
                "the number of pieces is not stated",
                help,
            ));
        }
    };
    let size = x.shape[axis];
    let pieces = match pieces(size.known(), number, sizes.as_deref()) {
        Ok(pieces) => pieces,
        Err(message) => {
            let argument = if sizes.is_some() { "split_sizes" } else { "num_splits" };
            let help = "the pieces together are as long as x along the axis";
            return Err(cx.refuse("split/sizes-add-up", argument, message, help));
        }
    };
    let piece = |&size: &Dim| {
        let mut shape = x.shape.clone();
        shape.0[axis] = size;
        Type::tensor(x.dtype, shape)
    };
    Ok(pieces.iter().map(piece).collect())
}

/// The sizes of the pieces of an axis of size `total`, if that is known.
fn pieces(total: Option<usize>, number: usize, sizes: Option<&[i64]>) -> Result<Vec<Dim>, String> {
    let Some(sizes) = sizes else {
        return match total {
            Some(total) if number != 0 && total % number == 0 => Ok(vec![Dim::Known(total / number); number]),
            Some(total) => Err(format!("{total} cannot be cut into {number} equal pieces")),
            None => Ok(vec![Dim::Unknown; number]),
        };
    };
    let mut pieces = Vec::with_capacity(number);
    let mut end = 0usize;
    for &size in sizes {
        let size = usize::try_from(size).map_err(|_| format!("a piece cannot have the size {size}"))?;
        end = end.checked_add(size).ok_or_else(|| "the sizes are absurdly large".to_owned())?;
        pieces.push(Dim::Known(size));
    }
    match total {
        Some(total) if total != end => Err(format!("the pieces add up to {end} but x has the size {total}")),
        _ => Ok(pieces),
    }
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let axis = axis_of(call.int("axis")?, x.shape.len())?;
    let sizes = call.get("split_sizes").map(RefTensor::i64s);
    let number = match &sizes {
        Some(sizes) => sizes.len(),
        None => {
            usize::try_from(call.int("num_splits")?).ok().filter(|&n| n as i64 <= MOST_PIECES).unwrap_or(0)
        }
    };
    let sizes = pieces(Some(x.shape[axis]), number, sizes.as_deref())
        .map_err(|message| Failure::new("split/sizes-add-up", message))?;
    let strides = row_major(&x.shape);
    let mut begin = 0;
    let mut results = Vec::new();
    for size in sizes.into_iter().filter_map(Dim::known) {
        let mut shape = x.shape.clone();
        shape[axis] = size;
        let from = each(&shape, |at| begin * strides[axis] + position(&strides, at))?;
        results.push(x.select(&shape, &from));
        begin += size;
    }
    Ok(results)
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let axis = cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?;
    let axis = axis_of(axis, x.shape.len())?;
    let rows: usize = x.shape[..axis].iter().product();
    let total: usize = x.shape[axis..].iter().product();
    let bytes = element_size(cx, 0)?;
    let (mut copies, mut at) = (Vec::with_capacity(cx.outputs.len()), 0);
    for out in &cx.outputs {
        let width: usize = out.shape.get(axis..).unwrap_or_default().iter().product();
        copies.push(StridedCopy::new(&[rows, width], at, &[total, 1], 0, &[width, 1]));
        at += width;
    }
    Ok(CpuKernel::new(move |call| {
        let (x, pool) = (call.read(slot)?, call.pool);
        for (i, copy) in copies.iter().enumerate() {
            let out = output(call, i)?;
            if !out.is_empty() {
                by_size!(bytes, T => copy.run::<T>(bytes_as(x), bytes_as_mut(out), pool));
            }
        }
        Ok(())
    }))
}
