//! Reductions over any set of axes, a row each.

use crate::contract::*;
use crate::support::plan::{for_float, output};
use crate::support::{axes, broadcast, elementwise::each};
use mil_base::{DType, Dim, Opset, Shape, Type};
use mil_kernels::{Float, Reduce, Reduction, bytes_as, bytes_as_mut};

const PAGE: &str = include_str!("reduce.md");

const VERSIONS: &[Version] = &[Version::new(
    Opset::Ios15,
    &[
        Param::tensor("x", sets::NUMBER).group("T"),
        Param::constant("axes", sets::INT32).or(Default::Absent),
        Param::constant("keep_dims", sets::BOOL).or(Default::Bool(false)),
    ],
)];

macro_rules! row {
    ($name:literal, $kernel:expr, $float:expr, $int:expr, $flops:literal, $accuracy:expr) => {
        OpDef {
            name: $name,
            doc: Doc::section(PAGE, $name),
            versions: VERSIONS,
            constraints: &[Constraint {
                slug: concat!($name, "/axes-in-range"),
                rule: "every axis is in -rank..rank, and none is named twice",
            }],
            infer,
            reference: Reference::Rule(|call| reduce(call, $float, $int)),
            cpu: Cpu::kernel(|cx| plan(cx, $kernel)),
            gradient: Gradient::Todo("differentiation is a later issue"),
            ane: Ane::Todo("the Neural Engine's rules are a later issue"),
            cost: |op| each(op, $flops),
            accuracy: $accuracy,
        }
    };
}

/// The sum of the magnitudes.
pub static REDUCE_L1_NORM: OpDef = row!(
    "reduce_l1_norm",
    Reduction::L1,
    |v| v.iter().map(|v| v.abs()).sum(),
    |v| v.iter().fold(0, |sum: i64, v| sum.wrapping_add(v.wrapping_abs())),
    2,
    Accuracy::of_largest(6e-7)
);
/// The square root of the sum of the squares.
pub static REDUCE_L2_NORM: OpDef = row!(
    "reduce_l2_norm",
    Reduction::L2,
    l2_norm,
    |v| l2_norm(&floats(v)) as i64,
    2,
    Accuracy::of_largest(3e-7)
);
/// The logarithm of the sum.
pub static REDUCE_LOG_SUM: OpDef = row!(
    "reduce_log_sum",
    Reduction::LogSum,
    |v| v.iter().sum::<f64>().ln(),
    |v| floats(v).iter().sum::<f64>().ln() as i64,
    1,
    Accuracy::absolute(2e-6, 1.0).cancelling()
);
/// The logarithm of the sum of the exponentials.
pub static REDUCE_LOG_SUM_EXP: OpDef = row!(
    "reduce_log_sum_exp",
    Reduction::LogSumExp,
    log_sum_exp,
    |v| log_sum_exp(&floats(v)) as i64,
    3,
    Accuracy::absolute(4e-7, 1.0)
);
/// The largest element.
pub static REDUCE_MAX: OpDef = row!(
    "reduce_max",
    Reduction::Max,
    |v| v.iter().fold(f64::NEG_INFINITY, |a, &b| if a < b || b.is_nan() { b } else { a }),
    |v| v.iter().copied().max().unwrap_or(i64::from(i32::MIN)),
    1,
    Accuracy::EXACT
);
/// The mean.
pub static REDUCE_MEAN: OpDef = row!(
    "reduce_mean",
    Reduction::Mean,
    |v| v.iter().sum::<f64>() / v.len() as f64,
    |v| v.iter().sum::<i64>().checked_div(v.len() as i64).unwrap_or(0),
    1,
    Accuracy::sum(1.5e-6)
);
/// The smallest element.
pub static REDUCE_MIN: OpDef = row!(
    "reduce_min",
    Reduction::Min,
    |v| v.iter().fold(f64::INFINITY, |a, &b| if a > b || b.is_nan() { b } else { a }),
    |v| v.iter().copied().min().unwrap_or(i64::from(i32::MAX)),
    1,
    Accuracy::EXACT
);
/// The product.
pub static REDUCE_PROD: OpDef = row!(
    "reduce_prod",
    Reduction::Prod,
    |v| v.iter().product(),
    |v| v.iter().fold(1, |product: i64, &v| product.wrapping_mul(v)),
    1,
    Accuracy::ROUNDED
);
/// The sum.
pub static REDUCE_SUM: OpDef = row!(
    "reduce_sum",
    Reduction::Sum,
    |v| v.iter().sum(),
    |v| v.iter().fold(0, |sum: i64, &v| sum.wrapping_add(v)),
    1,
    Accuracy::sum(1.5e-6)
);
/// The sum of the squares.
pub static REDUCE_SUM_SQUARE: OpDef = row!(
    "reduce_sum_square",
    Reduction::SumSquare,
    |v| v.iter().map(|v| v * v).sum(),
    |v| v.iter().fold(0, |sum: i64, &v| sum.wrapping_add(v.wrapping_mul(v))),
    2,
    Accuracy::of_largest(6e-7)
);

fn l2_norm(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn log_sum_exp(v: &[f64]) -> f64 {
    let largest = v.iter().copied().fold(f64::NEG_INFINITY, |a, b| if a < b || b.is_nan() { b } else { a });
    if !largest.is_finite() {
        return largest;
    }
    v.iter().map(|v| (v - largest).exp()).sum::<f64>().ln() + largest
}

fn floats(v: &[i64]) -> Vec<f64> {
    v.iter().map(|&v| v as f64).collect()
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let rank = x.shape.rank();
    let listed = if cx.has("axes") { cx.need_ints("axes")? } else { (0..rank as i64).collect() };
    let axes = axes::infer(cx, cx.slug("axes-in-range"), "axes", &listed, rank)?;
    let keep = cx.need_bool("keep_dims")?;
    let dims = x.shape.iter().enumerate().filter_map(|(d, &size)| match (axes.contains(&d), keep) {
        (false, _) => Some(size),
        (true, true) => Some(Dim::Known(1)),
        (true, false) => None,
    });
    cx.one(x.dtype, Shape(dims.collect()))
}

/// Collects the elements of each output element, and reduces them.
fn reduce(
    call: &RefCall<'_>,
    float: fn(&[f64]) -> f64,
    int: fn(&[i64]) -> i64,
) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let rank = x.shape.len();
    let axes: Vec<usize> = match call.get("axes") {
        Some(listed) => {
            listed.i64s().into_iter().map(|a| axes::resolve(a, rank)).collect::<Result<_, _>>()?
        }
        None => (0..rank).collect(),
    };
    let keep = call.bool("keep_dims")?;
    let kept: Vec<usize> =
        x.shape.iter().enumerate().map(|(d, &n)| if axes.contains(&d) { 1 } else { n }).collect();
    let removed = || kept.iter().enumerate().filter(|(d, _)| !axes.contains(d)).map(|(_, &n)| n);
    let shape: Vec<usize> = if keep { kept.clone() } else { removed().collect() };
    let owner = broadcast::positions(&kept, &x.shape)?;
    let groups = kept.iter().product();

    fn gather<T: Copy>(values: &[T], owner: &[usize], groups: usize) -> Vec<Vec<T>> {
        let mut members = vec![Vec::new(); groups];
        for (&v, &g) in values.iter().zip(owner) {
            members[g].push(v);
        }
        members
    }
    Ok(vec![match &x.data {
        RefData::Int(v) => {
            let groups = gather(v, &owner, groups);
            RefTensor::ints(x.dtype, &shape, groups.iter().map(|g| int(g)).collect())
        }
        _ => {
            let groups = gather(&x.f64s(), &owner, groups);
            RefTensor::floats(x.dtype, &shape, groups.iter().map(|g| float(g)).collect())
        }
    }])
}

fn plan(cx: &CpuCx<'_>, op: Reduction) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float>(op: Reduction, plan: Reduce, x: usize) -> CpuKernel {
        CpuKernel::new(move |call| {
            let (x, out) = (bytes_as::<T>(call.read(x)?), bytes_as_mut::<T>(output(call.outputs)?));
            plan.run(op, x, out, call.pool);
            Ok(())
        })
    }
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let rank = x.shape.len();
    let axes = match cx.view.has("axes") {
        true => {
            let listed = cx.view.ints("axes").ok_or_else(|| cx.unplanned("axes"))?;
            listed.into_iter().map(|a| axes::resolve(a, rank)).collect::<Result<Vec<_>, _>>()?
        }
        false => (0..rank).collect(),
    };
    let plan = Reduce::new(&x.shape, &axes);
    if x.dtype == DType::Int32 {
        return Ok(CpuKernel::new(move |call| {
            let (x, out) = (bytes_as::<i32>(call.read(slot)?), bytes_as_mut(output(call.outputs)?));
            plan.run_int(op, x, out, call.pool);
            Ok(())
        }));
    }
    for_float!(cx, "x", x.dtype, T => Ok(kernel::<T>(op, plan, slot)))
}
