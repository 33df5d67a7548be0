//! `space_to_batch` and `batch_to_space`: the pixels of a block as images of a batch and back.

use super::common::Problem;
use crate::contract::*;
use crate::support::index::*;
use mil_base::{Dim, Opset, Shape, Type};

/// The card of `space_to_batch`.
pub static SPACE_TO_BATCH: OpDef = OpDef {
    name: "space_to_batch",
    doc: Doc::section(include_str!("batch_space.md"), "space_to_batch"),
    versions: &[Version::new(Opset::Ios15, &[X, BLOCK_SHAPE, Param::constant("paddings", sets::INT32)])],
    constraints: &[
        Constraint {
            slug: "space_to_batch/shapes",
            rule: "x is [batch, channels, height, width], block_shape [2], paddings [2, 2]",
        },
        Constraint {
            slug: "space_to_batch/block-divides",
            rule: "blocks are positive, paddings not negative, and block_shape divides the padded height and width",
        },
    ],
    infer: |cx| infer(cx, &TO_BATCH),
    reference: Reference::Rule(to_batch),
    cpu: Cpu::Reference("rare in models: it has no kernel yet"),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

/// The card of `batch_to_space`.
pub static BATCH_TO_SPACE: OpDef = OpDef {
    name: "batch_to_space",
    doc: Doc::section(include_str!("batch_space.md"), "batch_to_space"),
    versions: &[Version::new(Opset::Ios15, &[X, BLOCK_SHAPE, Param::constant("crops", sets::INT32)])],
    constraints: &[
        Constraint {
            slug: "batch_to_space/shapes",
            rule: "x is [batch, channels, height, width], block_shape [2], crops [2, 2]",
        },
        Constraint {
            slug: "batch_to_space/block-divides",
            rule: "blocks are positive, crops not negative and smaller than the image, and the block divides the batch",
        },
    ],
    infer: |cx| infer(cx, &TO_SPACE),
    reference: Reference::Rule(to_space),
    cpu: Cpu::Reference("rare in models: it has no kernel yet"),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

const X: Param = Param::tensor("x", sets::FLOAT).group("T");
const BLOCK_SHAPE: Param = Param::constant("block_shape", sets::INT32);

/// What tells the two ops apart.
struct Row {
    shapes: &'static str,
    divides: &'static str,
    border: &'static str,
    to_space: bool,
}

const TO_BATCH: Row = Row {
    shapes: "space_to_batch/shapes",
    divides: "space_to_batch/block-divides",
    border: "paddings",
    to_space: false,
};
const TO_SPACE: Row = Row {
    shapes: "batch_to_space/shapes",
    divides: "batch_to_space/block-divides",
    border: "crops",
    to_space: true,
};

/// Block sides and borders `[[top, bottom], [left, right]]`.
struct Blocks {
    side: [usize; 2],
    border: [usize; 4],
}

impl Row {
    fn blocks(&self, sides: &[i64], borders: &[i64]) -> Result<Blocks, Problem> {
        let sized = |v: &[i64]| v.iter().map(|&v| usize::try_from(v).ok()).collect::<Option<Vec<_>>>();
        let wrong = |slug, message: String| {
            Problem::new(slug, message, "see the op's page for the shapes of its arguments")
        };
        if sides.len() != 2 || borders.len() != 4 {
            let message = format!("there are {} block sides and {} border sizes", sides.len(), borders.len());
            return Err(wrong(self.shapes, message));
        }
        match (sized(sides).as_deref(), sized(borders).as_deref()) {
            (Some(&[b0, b1]), Some(&[p0, p1, p2, p3])) if b0 > 0 && b1 > 0 => {
                Ok(Blocks { side: [b0, b1], border: [p0, p1, p2, p3] })
            }
            _ => Err(wrong(
                self.divides,
                format!("blocks {sides:?} with the borders {borders:?} make no sense"),
            )),
        }
    }

    /// The shape of the result.
    fn shape(&self, x: &[Dim], blocks: &Blocks) -> Result<Vec<Dim>, Problem> {
        let &[n, c, h, w] = x else {
            let message = format!("x has rank {}", x.len());
            return Err(Problem::new(self.shapes, message, "reshape it to [batch, channels, height, width]"));
        };
        let wrong = || {
            let message =
                format!("blocks {:?} with the borders {:?} do not fit x", blocks.side, blocks.border);
            Problem::new(self.divides, message, "choose another block or another border")
        };
        let Blocks { side: [b0, b1], border: [p0, p1, p2, p3] } = *blocks;
        let area = b0.checked_mul(b1).ok_or_else(wrong)?;
        let exact = |dim: Dim, f: &dyn Fn(usize) -> Option<usize>| match dim {
            Dim::Known(n) => f(n).map(Dim::Known).ok_or_else(wrong),
            _ => Ok(Dim::Unknown),
        };
        let divide = |n: usize, by: usize| n.is_multiple_of(by).then(|| n / by);
        if self.to_space {
            let n = exact(n, &|n| divide(n, area))?;
            let h = exact(h, &|h| h.checked_mul(b0)?.checked_sub(p0)?.checked_sub(p1))?;
            let w = exact(w, &|w| w.checked_mul(b1)?.checked_sub(p2)?.checked_sub(p3))?;
            return Ok(vec![n, c, h, w]);
        }
        let n = exact(n, &|n| n.checked_mul(area))?;
        let h = exact(h, &|h| divide(h.checked_add(p0)?.checked_add(p1)?, b0))?;
        let w = exact(w, &|w| divide(w.checked_add(p2)?.checked_add(p3)?, b1))?;
        Ok(vec![n, c, h, w])
    }

    /// The blocks, the shape of x and that of the result of an executed op.
    fn of_call(&self, call: &RefCall<'_>) -> Result<(Blocks, [usize; 4], Vec<usize>), Failure> {
        let blocks = self.blocks(&call.ints("block_shape")?, &call.ints(self.border)?)?;
        let x = &call.arg("x")?.shape;
        let shape = Shape(self.shape(&Shape::known(x), &blocks)?).sizes().unwrap_or_default();
        match x.as_slice() {
            &[n, c, h, w] => Ok((blocks, [n, c, h, w], shape)),
            _ => Err(Failure::new(self.shapes, "x has not four dimensions")),
        }
    }
}

fn infer(cx: &mut Infer<'_>, row: &Row) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let (sides, borders) = (cx.need_ints("block_shape")?, cx.need_ints(row.border)?);
    match row.blocks(&sides, &borders).and_then(|blocks| row.shape(&x.shape, &blocks)) {
        Ok(shape) => cx.one(x.dtype, Shape(shape)),
        Err(problem) => Err(problem.refuse(cx, "x")),
    }
}

fn to_batch(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let (blocks, [n, _, h, w], shape) = TO_BATCH.of_call(call)?;
    let Blocks { side: [b0, b1], border: [top, _, left, _] } = blocks;
    let (strides, values) = (row_major(&x.shape), x.f64s());
    let data = each(&shape, |at| {
        let place = at[0] / n.max(1);
        let row = (at[2] * b0 + place / b1).checked_sub(top).filter(|&i| i < h);
        let column = (at[3] * b1 + place % b1).checked_sub(left).filter(|&j| j < w);
        match (row, column) {
            (Some(i), Some(j)) => values[position(&strides, &[at[0] % n, at[1], i, j])],
            _ => 0.0,
        }
    })?;
    Ok(vec![RefTensor::floats(x.dtype, &shape, data)])
}

fn to_space(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let (blocks, _, shape) = TO_SPACE.of_call(call)?;
    let Blocks { side: [b0, b1], border: [top, _, left, _] } = blocks;
    let strides = row_major(&x.shape);
    let from = each(&shape, |at| {
        let (i, j) = (at[2] + top, at[3] + left);
        let place = i % b0 * b1 + j % b1;
        position(&strides, &[place * shape[0] + at[0], at[1], i / b0, j / b1])
    })?;
    Ok(vec![x.select(&shape, &from)])
}
