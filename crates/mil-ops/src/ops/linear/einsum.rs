//! `einsum`: the two equations Core ML knows, a matrix product with the channel axis as rows.

use super::product::{Operand, Product};
use crate::contract::*;
use crate::support::broadcast;
use crate::support::plan::output;
use mil_base::{DType, Dim, Opset, Shape, Type, f16};
use mil_kernels::strided::row_major;
use mil_kernels::view::take_scratch;
use mil_kernels::{
    Epilogue, Float, Floats, FloatsMut, Matmul, MatmulSpec, StridedCopy, bytes_as, bytes_as_mut,
};

/// The card of `einsum`.
pub static EINSUM: OpDef = OpDef {
    name: "einsum",
    doc: Doc::page(include_str!("einsum.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[Param::variadic("values", sets::ANY), Param::constant("equation", sets::STRING)],
    )],
    constraints: &[
        Constraint {
            slug: "einsum/equation",
            rule: "the equation is \"nchw,nwhu->nchu\" or \"chw,whu->chu\", whatever the letters",
        },
        Constraint {
            slug: "einsum/operands",
            rule: "there are two values of the equation's ranks, of the same dtype, fp16 or fp32",
        },
        Constraint {
            slug: "einsum/sizes",
            rule: "axes with the same letter have the same size; those in both values and the result may be 1 in one",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(choose),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| {
        let inner = op.tys("values").first()?.shape.last()?.known()? as u64;
        let outputs = op.outputs().first().copied().flatten()?.shape.count()? as u64;
        outputs.checked_mul(inner.checked_mul(2)?)
    },
    accuracy: Accuracy::sum(1.5e-6),
};

/// The rank of the operands of a supported equation.
fn equation_rank(equation: &str) -> Option<usize> {
    let text: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
    let (left, out) = text.split_once("->")?;
    let (x, y) = left.split_once(',')?;
    let mut letters: Vec<char> = Vec::new();
    let mut number = |part: &str| -> Option<Vec<usize>> {
        let place = |c: char| {
            let found = letters.iter().position(|&l| l == c);
            found.unwrap_or_else(|| {
                letters.push(c);
                letters.len() - 1
            })
        };
        part.chars().all(char::is_alphabetic).then(|| part.chars().map(place).collect())
    };
    match (number(x)?.as_slice(), number(y)?.as_slice(), number(out)?.as_slice()) {
        ([0, 1, 2, 3], [0, 3, 2, 4], [0, 1, 2, 4]) => Some(4),
        ([0, 1, 2], [2, 1, 3], [0, 1, 3]) => Some(3),
        _ => None,
    }
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let equation = cx.need_str("equation")?;
    let Some(rank) = equation_rank(&equation) else {
        return Err(cx.refuse(
            "einsum/equation",
            "equation",
            format!("\"{equation}\" is not an equation of Core ML's einsum"),
            "use \"nchw,nwhu->nchu\" or \"chw,whu->chu\", or write it with transpose and matmul",
        ));
    };
    let values = cx.tys("values");
    let fits = |t: &&mil_base::TensorType| t.shape.rank() == rank && sets::FLOAT.contains(t.dtype);
    let &[x, y] = values.as_slice() else {
        let message = format!("{} values are given", cx.bindings("values").len());
        return Err(cx.refuse("einsum/operands", "values", message, "give two tensors"));
    };
    if !values.iter().all(fits) || x.dtype != y.dtype {
        return Err(cx.refuse(
            "einsum/operands",
            "values",
            format!("the values are {x} and {y}"),
            format!("give two fp16 or two fp32 tensors of rank {rank}"),
        ));
    }
    let from_end = |shape: &Shape, i: usize| shape[rank - i];
    let mut pairs = vec![(from_end(&x.shape, 2), from_end(&y.shape, 2))];
    pairs.extend((rank == 4).then(|| (x.shape[0], y.shape[0])));
    let batch: Option<Vec<Dim>> = pairs.into_iter().map(|(a, b)| broadcast::dim(a, b)).collect();
    let inner_fits = from_end(&x.shape, 1).may_equal(from_end(&y.shape, 3));
    let Some(batch) = batch.filter(|_| inner_fits) else {
        return Err(cx.refuse(
            "einsum/sizes",
            "values",
            format!("the values are {} and {} in \"{equation}\"", x.shape, y.shape),
            "axes with the same letter must have the same size",
        ));
    };
    let mut shape = x.shape.clone();
    shape.0[rank - 1] = from_end(&y.shape, 1);
    shape.0[rank - 2] = batch[0];
    if let (4, Some(&n)) = (rank, batch.get(1)) {
        shape.0[0] = n;
    }
    cx.one(x.dtype, shape)
}

/// The product over the axes (n, h) as a batch, for sizes of rank 4.
fn product([xn, c, xh, w]: [usize; 4], [yn, w2, yh, u]: [usize; 4]) -> Option<Product> {
    let larger = |a: usize, b: usize| match (a, b) {
        (1, n) | (n, 1) => Some(n),
        (a, b) => (a == b).then_some(a),
    };
    let (n, h) = (larger(xn, yn)?, larger(xh, yh)?);
    let step = |size: usize, step: usize| if size == 1 { 0 } else { step };
    (w == w2).then(|| Product {
        batch: vec![n, h],
        m: c,
        k: w,
        n: u,
        x: Operand { batch: vec![step(xn, c * xh * w), step(xh, w)], row: xh * w, column: 1 },
        y: Operand { batch: vec![step(yn, w * yh * u), step(yh, u)], row: yh * u, column: 1 },
        out: Operand { batch: vec![c * h * u, u], row: h * u, column: 1 },
    })
}

/// The product of two operands of rank 3 or 4, and the sizes of the result.
fn plan(x: &[usize], y: &[usize]) -> Result<(Product, Vec<usize>), Failure> {
    let four = |s: &[usize]| match *s {
        [a, b, c] => Some([1, a, b, c]),
        [a, b, c, d] => Some([a, b, c, d]),
        _ => None,
    };
    let product = match (four(x), four(y)) {
        (Some(a), Some(b)) if x.len() == y.len() => product(a, b),
        _ => None,
    };
    let product = product.ok_or_else(|| {
        Failure::new("einsum/sizes", format!("operands of sizes {x:?} and {y:?} do not fit"))
    })?;
    let shape = [product.batch[0], product.m, product.batch[1], product.n];
    Ok((product, shape[4 - x.len()..].to_vec()))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let &[x, y] = call.all("values") else {
        return Err(Failure::new("einsum/operands", "einsum takes two values"));
    };
    let (product, shape) = plan(&x.shape, &y.shape)?;
    let values = product.compute(&x.f64s(), &y.f64s(), 0.0, |sum, a, b| sum + a * b);
    Ok(vec![RefTensor::floats(x.dtype, &shape, values)])
}

/// Both operands are laid out anew with the axes (n, h) in front; the product of the batch is laid out back.
fn choose(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let tys = cx.tys("values")?;
    let [x, y] = tys.as_slice() else { return Err(cx.unplanned("values")) };
    let (product, _) = plan(&x.shape, &y.shape)?;
    match x.dtype {
        DType::Fp16 => kernel::<f16>(cx, &product, [x.count(), y.count()]),
        DType::Fp32 => kernel::<f32>(cx, &product, [x.count(), y.count()]),
        _ => Err(cx.unplanned("values")),
    }
}

fn kernel<T: Float>(cx: &CpuCx<'_>, product: &Product, counts: [usize; 2]) -> Result<CpuKernel, Failure> {
    let slot = cx.need("values")?;
    let dtype = if T::FP16 { DType::Fp16 } else { DType::Fp32 };
    let Product { batch, m, k, n, x, y, out } = product;
    // The axes of an operand that is broadcast along a batch axis stay 1 there.
    let sizes = |of: &Operand, rows: usize, columns: usize| {
        let kept = |i: usize| if of.batch[i] == 0 { 1 } else { batch[i] };
        [kept(0), kept(1), rows, columns]
    };
    let copy = |of: &Operand, sizes: &[usize; 4]| {
        let steps = [of.batch[0], of.batch[1], of.row, of.column];
        StridedCopy::new(sizes, 0, &steps, 0, &row_major(sizes))
    };
    let (a, b, c) = (sizes(x, *m, *k), sizes(y, *k, *n), [batch[0], batch[1], *m, *n]);
    let (copy_x, copy_y) = (copy(x, &a), copy(y, &b));
    let back = [out.batch[0], out.batch[1], out.row, out.column];
    let copy_out = StridedCopy::new(&c, 0, &row_major(&c), 0, &back);
    let spec = MatmulSpec { a: &a, b: &b, transpose_a: false, transpose_b: false };
    let matmul = Matmul::new(&spec, cx.threads).ok_or_else(|| cx.unplanned("values"))?;
    let total = product.count().ok_or_else(|| cx.unplanned("values"))?;
    let padded = |n: usize| (n * size_of::<T>()).next_multiple_of(64);
    let [count_x, count_y] = counts;
    let scratch = padded(count_x) + padded(count_y) + padded(total) + matmul.scratch_bytes(cx.threads);
    let run = move |call: &mut KernelCall<'_>| {
        let (x, y) = (bytes_as::<T>(call.read(slot)?), bytes_as::<T>(call.read(slot + 1)?));
        let (a, rest) = take_scratch::<T>(call.scratch, count_x);
        let (b, rest) = take_scratch::<T>(rest, count_y);
        let (c, rest) = take_scratch::<T>(rest, total);
        copy_x.run(x, a, call.pool);
        copy_y.run(y, b, call.pool);
        let failed = || Failure::new("op/not-planned", "einsum is of floats");
        let left = Floats::new(dtype, bytemuck::cast_slice(a)).ok_or_else(failed)?;
        let right = Floats::new(dtype, bytemuck::cast_slice(b)).ok_or_else(failed)?;
        let product = FloatsMut::new(dtype, bytemuck::cast_slice_mut(c)).ok_or_else(failed)?;
        matmul.run(left, right, product, Epilogue::NONE, &[], rest, call.pool);
        copy_out.run(c, bytes_as_mut::<T>(output(call.outputs)?), call.pool);
        Ok(())
    };
    Ok(CpuKernel::new(run).scratch(scratch))
}
