//! `matmul`: the matrix product, batched and broadcast.

use super::product::Product;
use crate::contract::*;
use crate::support::broadcast;
use crate::support::plan::{fusing, output};
use crate::support::steps::Steps;
use mil_base::{DType, Dim, Opset, Shape, Type};
use mil_kernels::{Floats, FloatsMut, Matmul, MatmulSpec};

/// The card of `matmul`.
pub static MATMUL: OpDef = OpDef {
    name: "matmul",
    doc: Doc::page(include_str!("matmul.md")),
    versions: &[
        Version::new(
            Opset::Ios15,
            &[X, Param::tensor("y", sets::NUMBER).group("T"), TRANSPOSE_X, TRANSPOSE_Y],
        ),
        Version::new(
            Opset::Ios17,
            &[X, Param::tensor("y", sets::NUMBER).group("U"), TRANSPOSE_X, TRANSPOSE_Y],
        ),
    ],
    constraints: &[
        Constraint {
            slug: "matmul/transposes-stated",
            rule: "transpose_x and transpose_y are both written: Apple's compiler refuses a matmul without either (facts/ane-facts.md, O05)",
        },
        Constraint {
            slug: "matmul/rank",
            rule: "x and y have rank 1 or more, and a vector x is not transposed",
        },
        Constraint { slug: "matmul/inner-sizes", rule: "the columns of x are as many as the rows of y" },
        Constraint {
            slug: "matmul/batch-broadcasts",
            rule: "the axes before the last two are equal or 1, aligned from the right",
        },
        Constraint {
            slug: "matmul/dtypes",
            rule: "x and y have the same dtype, unless exactly one of them is constant (ios17)",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: fusing(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost,
    accuracy: Accuracy::sum(4e-6),
};

const X: Param = Param::tensor("x", sets::NUMBER).group("T");
const TRANSPOSE_X: Param = Param::constant("transpose_x", sets::BOOL).or(Default::Bool(false));
const TRANSPOSE_Y: Param = Param::constant("transpose_y", sets::BOOL).or(Default::Bool(false));

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (x, y) = (cx.need("x")?, cx.need("y")?);
    for flag in ["transpose_x", "transpose_y"] {
        if !cx.has(flag) {
            cx.report(
                "matmul/transposes-stated",
                flag,
                format!("`{flag}` is not written; Apple's compiler refuses a matmul without it"),
                format!("add `{flag} = bool(false)`"),
            );
        }
    }
    let (tx, ty) = (cx.need_bool("transpose_x")?, cx.need_bool("transpose_y")?);
    for (name, ty, transposed) in [("x", x, tx), ("y", y, false)] {
        if ty.shape.rank() == 0 || (ty.shape.rank() == 1 && transposed) {
            let help =
                "a vector cannot be transposed and a scalar cannot be multiplied: reshape it to a matrix";
            let message =
                format!("`{name}` is {ty}{}", if transposed { " and is to be transposed" } else { "" });
            return Err(cx.refuse("matmul/rank", name, message, help));
        }
    }
    let (x_batch, m, k) = split(&x.shape, tx, true);
    let (y_batch, k2, n) = split(&y.shape, ty, false);
    if !k.may_equal(k2) {
        let transposed = |flag| if flag { " (transposed)" } else { "" };
        return Err(cx.refuse(
            "matmul/inner-sizes",
            "y",
            format!(
                "x is {}{} with {k} columns, y is {}{} with {k2} rows",
                x.shape,
                transposed(tx),
                y.shape,
                transposed(ty)
            ),
            "the columns of x must be as many as the rows of y: transpose one of them with transpose_x or transpose_y, or reshape",
        ));
    }
    let (x_batch, y_batch) = (Shape(x_batch.to_vec()), Shape(y_batch.to_vec()));
    let Some(Shape(mut dims)) = broadcast::shape(&x_batch, &y_batch) else {
        return Err(cx.refuse(
            "matmul/batch-broadcasts",
            "y",
            format!("the batch axes {x_batch} of x and {y_batch} of y do not broadcast"),
            "make each pair of batch axes equal, or one of them 1",
        ));
    };
    let dtype = result_dtype(cx, x.dtype, y.dtype)?;
    dims.extend((x.shape.rank() > 1).then_some(m));
    dims.extend((y.shape.rank() > 1).then_some(n));
    cx.one(dtype, Shape(dims))
}

/// The batch axes, rows and columns of an operand.
fn split(shape: &Shape, transposed: bool, left: bool) -> (&[Dim], Dim, Dim) {
    match &shape.0[..] {
        [batch @ .., a, b] if transposed => (batch, *b, *a),
        [batch @ .., a, b] => (batch, *a, *b),
        [k] if left => (&[], Dim::Known(1), *k),
        [k] => (&[], *k, Dim::Known(1)),
        [] => (&[], Dim::Unknown, Dim::Unknown),
    }
}

fn result_dtype(cx: &mut Infer<'_>, x: DType, y: DType) -> Result<DType, Refused> {
    if x == y {
        return Ok(x);
    }
    let constant = |name| crate::support::constness::is_constant(&cx.view(), name);
    match (constant("x"), constant("y")) {
        (true, false) => Ok(y),
        (false, true) => Ok(x),
        (both, _) => Err(cx.refuse(
            "matmul/dtypes",
            "y",
            format!("x is {x} and y is {y}, and {} constant", if both { "both are" } else { "neither is" }),
            "cast one of them to the dtype of the other",
        )),
    }
}

fn product(x: &[usize], y: &[usize], tx: bool, ty: bool) -> Result<Product, Failure> {
    Product::of_matmul(x, y, tx, ty).ok_or_else(|| {
        Failure::new(
            "matmul/inner-sizes",
            format!("x of sizes {x:?} and y of sizes {y:?} cannot be multiplied"),
        )
    })
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (x, y) = (call.arg("x")?, call.arg("y")?);
    let product = product(&x.shape, &y.shape, call.bool("transpose_x")?, call.bool("transpose_y")?)?;
    let mut shape = product.batch.clone();
    shape.extend((x.shape.len() > 1).then_some(product.m));
    shape.extend((y.shape.len() > 1).then_some(product.n));
    let dtype = call.outputs.first().map_or(x.dtype, |t| t.dtype);
    if !x.dtype.is_float() && !y.dtype.is_float() {
        let sum = |sum: i64, a: i64, b: i64| sum.wrapping_add(a.wrapping_mul(b));
        return Ok(vec![RefTensor::ints(dtype, &shape, product.compute(&x.i64s(), &y.i64s(), 0, sum))]);
    }
    let values = product.compute(&x.f64s(), &y.f64s(), 0.0, |sum, a, b| sum + a * b);
    Ok(vec![RefTensor::from_f64(dtype, &shape, values)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, y) = (cx.ty("x")?, cx.ty("y")?);
    let out = cx.outputs.first().map(|o| o.dtype).ok_or_else(|| cx.unplanned("x"))?;
    if ![x.dtype, y.dtype, out].iter().all(|d| d.is_float()) {
        return Err(cx.unplanned("x"));
    }
    let flag = |name| cx.view.bool(name).ok_or_else(|| cx.unplanned(name));
    // A vector is one row; on the right, of the transposed matrix.
    let as_matrix = |shape: &[usize], flag: bool, vector: bool| match *shape {
        [n] => (vec![1, n], vector),
        _ => (shape.to_vec(), flag),
    };
    let (a, transpose_a) = as_matrix(&x.shape, flag("transpose_x")?, false);
    let (b, transpose_b) = as_matrix(&y.shape, flag("transpose_y")?, true);
    let spec = MatmulSpec { a: &a, b: &b, transpose_a, transpose_b };
    let matmul = Matmul::new(&spec, cx.threads).ok_or_else(|| cx.unplanned("y"))?;
    let steps = Steps::new(cx)?;
    let (at_x, at_y) = (cx.need("x")?, cx.need("y")?);
    let scratch = matmul.scratch_bytes(cx.threads);
    let run = move |call: &mut KernelCall<'_>| {
        let failed = || Failure::new("op/not-planned", "this kernel is of floats");
        let a = Floats::new(x.dtype, call.read(at_x)?).ok_or_else(failed)?;
        let b = Floats::new(y.dtype, call.read(at_y)?).ok_or_else(failed)?;
        let operands = steps.operands(call)?;
        let out = FloatsMut::new(out, output(call.outputs)?).ok_or_else(failed)?;
        matmul.run(a, b, out, &steps.epilogue, &operands, call.scratch, call.pool);
        Ok(())
    };
    Ok(CpuKernel::new(run).scratch(scratch))
}

fn cost(op: &OpView<'_>) -> Option<u64> {
    let (x, y) = (op.ty("x")?.shape.sizes()?, op.ty("y")?.shape.sizes()?);
    let product = Product::of_matmul(&x, &y, op.bool("transpose_x")?, op.bool("transpose_y")?)?;
    (product.count()? as u64).checked_mul(2)?.checked_mul(product.k as u64)
}
