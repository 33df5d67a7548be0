//! `linear`: rows times constant weights, plus a bias.

use crate::contract::*;
use crate::support::constness::is_constant;
use crate::support::plan::{fusing, output};
use crate::support::steps::Steps;
use mil_base::{Opset, Type};
use mil_kernels::{Along, Floats, FloatsMut, Matmul, MatmulSpec};

/// The card of `linear`.
pub static LINEAR: OpDef = OpDef {
    name: "linear",
    doc: Doc::page(include_str!("linear.md")),
    versions: &[
        Version::new(
            Opset::Ios15,
            &[
                Param::tensor("x", sets::NUMBER).group("T"),
                Param::constant("weight", sets::NUMBER).group("T"),
                Param::constant("bias", sets::NUMBER).group("T").or(NO_BIAS),
            ],
        ),
        Version::new(
            Opset::Ios17,
            &[
                Param::tensor("x", sets::NUMBER).group("T"),
                Param::constant("weight", sets::NUMBER).group("U"),
                Param::constant("bias", sets::NUMBER).group("U").or(NO_BIAS),
            ],
        ),
    ],
    constraints: &[
        Constraint {
            slug: "linear/weight-constant",
            rule: "weight and bias are known when the program is compiled; weights that are computed go to matmul",
        },
        Constraint { slug: "linear/rank", rule: "x has rank 1 or more, weight rank 2, bias rank 1" },
        Constraint { slug: "linear/inner-sizes", rule: "the last axis of x is as long as that of weight" },
        Constraint { slug: "linear/bias-size", rule: "bias has one element for each row of weight" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: fusing(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| {
        let inner = op.ty("weight")?.shape.last()?.known()? as u64;
        let outputs = op.outputs().first().copied().flatten()?.shape.count()? as u64;
        outputs.checked_mul(inner.checked_mul(2)?)
    },
    accuracy: Accuracy::sum(2e-6),
};

const NO_BIAS: Default = Default::Computed("zeros of weight's dtype, one for each of its rows");

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (x, weight) = (cx.need("x")?, cx.need("weight")?);
    for name in ["weight", "bias"] {
        if cx.has(name) && !is_constant(&cx.view(), name) {
            cx.report(
                "linear/weight-constant",
                name,
                format!("`{name}` is computed when the program runs"),
                "use matmul with transpose_y = true (and add the bias) for weights that are computed",
            );
        }
    }
    let (&[rows, inner], Some(&last)) = (&weight.shape.0[..], x.shape.last()) else {
        return Err(cx.refuse(
            "linear/rank",
            "weight",
            format!("x is {x} and weight is {weight}"),
            "x needs at least one axis and weight exactly two: [outputs, inputs]",
        ));
    };
    if !last.may_equal(inner) {
        return Err(cx.refuse(
            "linear/inner-sizes",
            "weight",
            format!("the last axis of x has {last} elements, that of weight {inner}"),
            "weight is [outputs, inputs]: transpose it if it is the other way round",
        ));
    }
    if let Some(bias) = cx.ty("bias") {
        if bias.shape.rank() != 1 {
            return Err(cx.refuse(
                "linear/rank",
                "bias",
                format!("bias is {bias}"),
                format!("give bias the shape [{rows}]"),
            ));
        }
        if !bias.shape[0].may_equal(rows) {
            return Err(cx.refuse(
                "linear/bias-size",
                "bias",
                format!("bias has {} elements and weight {rows} rows", bias.shape[0]),
                format!("give bias the shape [{rows}]"),
            ));
        }
    }
    let mut shape = x.shape.clone();
    if let Some(last) = shape.0.last_mut() {
        *last = rows;
    }
    cx.one(x.dtype, shape)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, weight) = (call.arg("x")?, call.arg("weight")?);
    let bias = call.get("bias");
    let (&[rows, inner], Some((&last, outer))) = (&weight.shape[..], x.shape.split_last()) else {
        return Err(Failure::new("linear/rank", "x needs an axis and weight two"));
    };
    let bias_fits = bias.is_none_or(|b| b.count() == rows);
    if last != inner || !bias_fits {
        return Err(Failure::new("linear/inner-sizes", "the sizes of x, weight and bias do not fit"));
    }
    let sizes = [outer.iter().product(), rows, inner];
    let mut shape = outer.to_vec();
    shape.push(rows);
    if !x.dtype.is_float() && !weight.dtype.is_float() {
        let (values, w, bias) = (x.i64s(), weight.i64s(), bias.map(RefTensor::i64s));
        let add = |sum: i64, a: i64, b: i64| sum.wrapping_add(a.wrapping_mul(b));
        return Ok(vec![RefTensor::ints(x.dtype, &shape, rows_times(&values, &w, bias, sizes, 0, add))]);
    }
    let (values, w, bias) = (x.f64s(), weight.f64s(), bias.map(RefTensor::f64s));
    let out = rows_times(&values, &w, bias, sizes, 0.0, |sum, a, b| sum + a * b);
    Ok(vec![RefTensor::from_f64(x.dtype, &shape, out)])
}

/// Each of `outer` rows of `x` times each of `rows` rows of `w`, all of `inner` elements.
fn rows_times<T: Copy>(
    x: &[T],
    w: &[T],
    bias: Option<Vec<T>>,
    [outer, rows, inner]: [usize; 3],
    zero: T,
    add: impl Fn(T, T, T) -> T,
) -> Vec<T> {
    let mut out = Vec::with_capacity(outer * rows);
    for i in 0..outer {
        for o in 0..rows {
            let (row, weights) = (&x[i * inner..][..inner], &w[o * inner..][..inner]);
            let start = bias.as_ref().map_or(zero, |b| b[o]);
            out.push(row.iter().zip(weights).fold(start, |sum, (&a, &b)| add(sum, a, b)));
        }
    }
    out
}

/// The weights are read where they lie, mapped from their file.
fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, weight) = (cx.ty("x")?, cx.ty("weight")?);
    if !x.dtype.is_float() || !weight.dtype.is_float() {
        return Err(cx.unplanned("weight"));
    }
    let (&last, outer) = x.shape.split_last().ok_or_else(|| cx.unplanned("x"))?;
    let rows = [outer.iter().product(), last];
    let spec = MatmulSpec { a: &rows, b: &weight.shape, transpose_a: false, transpose_b: true };
    let matmul = Matmul::new(&spec, cx.threads).ok_or_else(|| cx.unplanned("weight"))?;
    let mut steps = Steps::new(cx)?;
    if let Some(bias) = cx.slot("bias") {
        steps = steps.bias(bias, cx.ty("bias")?.dtype, Along::Column);
    }
    let (at_x, at_weight) = (cx.need("x")?, cx.need("weight")?);
    let scratch = matmul.scratch_bytes(cx.threads);
    let run = move |call: &mut KernelCall<'_>| {
        let failed = || Failure::new("op/not-planned", "this kernel is of floats");
        let input = Floats::new(x.dtype, call.read(at_x)?).ok_or_else(failed)?;
        let weight = Floats::new(weight.dtype, call.read(at_weight)?).ok_or_else(failed)?;
        let operands = steps.operands(call)?;
        let out = FloatsMut::new(x.dtype, output(call.outputs)?).ok_or_else(failed)?;
        matmul.run(input, weight, out, &steps.epilogue, &operands, call.scratch, call.pool);
        Ok(())
    };
    Ok(CpuKernel::new(run).scratch(scratch))
}
