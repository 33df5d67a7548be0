//! `layer_norm`: mean 0 and variance 1 over some axes, then scale and shift.

use super::common::Parameter;
use crate::contract::*;
use crate::support::plan::{for_float, output, scalar};
use mil_base::{Opset, Type};
use mil_kernels::view::take_scratch;
use mil_kernels::{Float, LayerNorm, StridedCopy, bytes_as, bytes_as_mut};

/// The card of `layer_norm`.
pub static LAYER_NORM: OpDef = OpDef {
    name: "layer_norm",
    doc: Doc::page(include_str!("layer_norm.md")),
    versions: &[
        Version::new(
            Opset::Ios15,
            &[
                Param::tensor("x", sets::FLOAT).group("T"),
                Param::constant("axes", sets::INT32).or(ALL_AXES),
                Param::constant("gamma", sets::FLOAT).group("T").or(Default::Absent),
                Param::constant("beta", sets::FLOAT).group("T").or(Default::Absent),
                Param::constant("epsilon", sets::FLOAT).group("T").or(Default::Float(1e-5)),
            ],
        ),
        Version::new(
            Opset::Ios17,
            &[
                Param::tensor("x", sets::FLOAT).group("T"),
                Param::constant("axes", sets::INT32).or(ALL_AXES),
                Param::constant("gamma", sets::FLOAT).group("U").or(Default::Absent),
                Param::constant("beta", sets::FLOAT).group("U").or(Default::Absent),
                Param::constant("epsilon", sets::FLOAT).group("U").or(Default::Float(1e-5)),
            ],
        ),
    ],
    constraints: &[
        Constraint {
            slug: "layer_norm/axes-in-range",
            rule: "every axis is in -rank..rank, and none is named twice",
        },
        Constraint {
            slug: "layer_norm/gamma-beta-shape",
            rule: "gamma and beta have the sizes of x along the axes, in order",
        },
        Constraint {
            slug: "layer_norm/epsilon-dtype",
            rule: "epsilon has the dtype of gamma and beta (research, MIL syntax lessons)",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| Some(8 * op.ty("x")?.shape.count()? as u64),
    accuracy: Accuracy::sum(1.2e-6),
};

const ALL_AXES: Default = Default::Computed("every axis of x");

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let rank = x.shape.rank();
    let listed = if cx.has("axes") { cx.need_ints("axes")? } else { (0..rank as i64).collect() };
    let mut axes = Vec::new();
    for axis in listed {
        let axis = cx.axis("layer_norm/axes-in-range", "axes", axis, rank)?;
        if axes.contains(&axis) {
            return Err(cx.refuse(
                "layer_norm/axes-in-range",
                "axes",
                format!("axis {axis} is named twice"),
                "name each axis once",
            ));
        }
        axes.push(axis);
    }
    axes.sort_unstable();
    for name in ["gamma", "beta"] {
        let Some(ty) = cx.ty(name) else { continue };
        let fits = ty.shape.rank() == axes.len()
            && ty.shape.iter().zip(&axes).all(|(d, &a)| d.may_equal(x.shape[a]));
        if !fits {
            let wanted: Vec<String> = axes.iter().map(|&a| x.shape[a].to_string()).collect();
            cx.report(
                "layer_norm/gamma-beta-shape",
                name,
                format!(
                    "`{name}` is {} but the normalised axes of x have the sizes [{}]",
                    ty.shape,
                    wanted.join(", ")
                ),
                format!("give `{name}` the shape [{}]", wanted.join(", ")),
            );
        }
    }
    if let (Some(gamma), Some(epsilon)) = (cx.ty("gamma").or(cx.ty("beta")), cx.ty("epsilon"))
        && gamma.dtype != epsilon.dtype
    {
        cx.report(
            "layer_norm/epsilon-dtype",
            "epsilon",
            format!("`epsilon` is {} but gamma and beta are {}", epsilon.dtype, gamma.dtype),
            format!("declare `epsilon` as {}", gamma.dtype),
        );
    }
    cx.one(x.dtype, x.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let rank = x.shape.len();
    let mut axes: Vec<usize> = match call.get("axes") {
        Some(axes) => {
            axes.i64s().into_iter().map(|a| if a < 0 { a + rank as i64 } else { a } as usize).collect()
        }
        None => (0..rank).collect(),
    };
    axes.sort_unstable();
    let epsilon = call.float("epsilon")?;
    let (gamma, beta) = (call.get("gamma").map(RefTensor::f64s), call.get("beta").map(RefTensor::f64s));

    // Every element belongs to a group (its place along the other axes) and has a place within it.
    let values = x.f64s();
    let mut places = Vec::with_capacity(values.len());
    let (mut groups, mut size) = (1, 1);
    for (a, &n) in x.shape.iter().enumerate() {
        if axes.contains(&a) { size *= n } else { groups *= n }
    }
    for flat in 0..values.len() {
        let (mut rest, mut group, mut within, mut group_step, mut within_step) = (flat, 0, 0, 1, 1);
        for a in (0..rank).rev() {
            let at = rest % x.shape[a];
            rest /= x.shape[a];
            if axes.contains(&a) {
                within += at * within_step;
                within_step *= x.shape[a];
            } else {
                group += at * group_step;
                group_step *= x.shape[a];
            }
        }
        places.push((group, within));
    }
    let mut mean = vec![0.0; groups];
    let mut variance = vec![0.0; groups];
    for (&v, &(g, _)) in values.iter().zip(&places) {
        mean[g] += v / size as f64;
    }
    for (&v, &(g, _)) in values.iter().zip(&places) {
        variance[g] += (v - mean[g]).powi(2) / size as f64;
    }
    let scaled = values.iter().zip(&places).map(|(&v, &(g, w))| {
        let y = (v - mean[g]) / (variance[g] + epsilon).sqrt();
        y * gamma.as_ref().map_or(1.0, |t| t[w]) + beta.as_ref().map_or(0.0, |t| t[w])
    });
    Ok(vec![RefTensor::floats(x.dtype, &x.shape, scaled.collect())])
}

/// The kernel works on the last axes; others are moved there first, and the result back.
struct Move {
    there: StridedCopy,
    back: StridedCopy,
}

/// How to bring the axes listed in `axes` (ascending) behind all others; nothing if they are there.
fn moved(shape: &[usize], axes: &[usize]) -> Option<Move> {
    let rest = (0..shape.len()).filter(|a| !axes.contains(a));
    let order: Vec<usize> = rest.chain(axes.iter().copied()).collect();
    // Axes of one element lie anywhere.
    let real: Vec<usize> = order.iter().copied().filter(|&a| shape[a] != 1).collect();
    if real.is_sorted() {
        return None;
    }
    let permuted: Vec<usize> = order.iter().map(|&a| shape[a]).collect();
    let mut inverse = vec![0; order.len()];
    order.iter().enumerate().for_each(|(to, &from)| inverse[from] = to);
    Some(Move { there: StridedCopy::permute(shape, &order), back: StridedCopy::permute(&permuted, &inverse) })
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, slot, epsilon) = (cx.ty("x")?, cx.need("x")?, scalar(cx, "epsilon")?);
    let rank = x.shape.len() as i64;
    let listed = match cx.view.has("axes") {
        true => cx.view.ints("axes").ok_or_else(|| cx.unplanned("axes"))?,
        false => (0..rank).collect(),
    };
    let mut axes: Vec<usize> =
        listed.into_iter().map(|a| if a < 0 { a + rank } else { a } as usize).collect();
    axes.sort_unstable();
    let row: usize = axes.iter().filter_map(|&a| x.shape.get(a)).product();
    let norm = LayerNorm { rows: x.count().checked_div(row).unwrap_or(0), row, epsilon };
    let parameters = [Parameter::new(cx, "gamma")?, Parameter::new(cx, "beta")?];
    let moved = moved(&x.shape, &axes);
    for_float!(cx, "x", x.dtype, T => Ok(kernel::<T>(cx, slot, norm, parameters, moved)))
}

fn kernel<T: Float>(
    cx: &CpuCx<'_>,
    slot: usize,
    norm: LayerNorm,
    parameters: [Parameter; 2],
    moved: Option<Move>,
) -> CpuKernel {
    let count = norm.rows * norm.row;
    let copies = if moved.is_some() { 2 * (count * size_of::<T>()).next_multiple_of(64) } else { 0 };
    let scratch = norm.scratch_bytes(cx.threads) + copies;
    let run = move |call: &mut KernelCall<'_>| {
        let x = bytes_as::<T>(call.read(slot)?);
        let [gamma, beta] = [parameters[0].read(call)?, parameters[1].read(call)?];
        let out = bytes_as_mut::<T>(output(call.outputs)?);
        let Some(moved) = &moved else {
            norm.run(x, gamma, beta, out, call.scratch, call.pool);
            return Ok(());
        };
        let (from, rest) = take_scratch::<T>(call.scratch, count);
        let (to, rest) = take_scratch::<T>(rest, count);
        moved.there.run(x, from, call.pool);
        norm.run(from, gamma, beta, to, rest, call.pool);
        moved.back.run(to, out, call.pool);
        Ok(())
    };
    CpuKernel::new(run).scratch(scratch)
}
