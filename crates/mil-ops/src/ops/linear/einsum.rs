//! `einsum`: the two equations Core ML knows, a matrix product with the channel axis as rows.

use super::product::{Operand, Product};
use crate::contract::*;
use crate::support::broadcast;
use mil_base::{Dim, Opset, Shape, Type};

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
    cpu: Cpu::Reference("the kernel is not connected yet"),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| {
        let inner = op.tys("values").first()?.shape.last()?.known()? as u64;
        let outputs = op.outputs().first().copied().flatten()?.shape.count()? as u64;
        outputs.checked_mul(inner.checked_mul(2)?)
    },
    accuracy: Accuracy::sum(4e-6),
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
