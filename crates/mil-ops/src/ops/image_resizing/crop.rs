//! `crop`: rows and columns cut off.

use super::common::{need_image, with_image};
use crate::contract::*;
use crate::support::plan::output;
use mil_base::{Dim, Opset, Type};

/// The card of `crop`.
pub static CROP: OpDef = OpDef {
    name: "crop",
    doc: Doc::page(include_str!("crop.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::FLOAT).group("T"),
            Param::constant("crop_height", sets::INT32),
            Param::constant("crop_width", sets::INT32),
        ],
    )],
    constraints: &[
        Constraint { slug: "crop/rank", rule: "x has rank 3 or more" },
        Constraint {
            slug: "crop/amounts",
            rule: "crop_height and crop_width are two amounts of 0 or more, and leave something",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

const AMOUNTS: [&str; 2] = ["crop_height", "crop_width"];

/// What is cut off before and after an axis.
fn amounts(listed: &[i64]) -> Option<[usize; 2]> {
    let &[before, after] = listed else { return None };
    Some([usize::try_from(before).ok()?, usize::try_from(after).ok()?])
}

/// What is left of an axis; nothing if nothing is.
fn left(size: usize, [before, after]: [usize; 2]) -> Option<usize> {
    size.checked_sub(before)?.checked_sub(after).filter(|&n| n > 0)
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = need_image(cx, "crop/rank")?;
    let rank = x.shape.rank();
    let mut sizes = [x.shape[rank - 2], x.shape[rank - 1]];
    for (name, dim) in AMOUNTS.iter().zip(&mut sizes) {
        let listed = cx.need_ints(name)?;
        let new = match (amounts(&listed), *dim) {
            (Some([0, 0]), size) => Some(size),
            (Some(cut), Dim::Known(size)) => left(size, cut).map(Dim::Known),
            (Some(_), _) => Some(Dim::Unknown),
            (None, _) => None,
        };
        let Some(new) = new else {
            return Err(cx.refuse(
                "crop/amounts",
                name,
                format!("`{name}` is {listed:?} and the axis has {dim} elements"),
                "give what is cut off before and after; at least one element must be left",
            ));
        };
        *dim = new;
    }
    cx.one(x.dtype, with_image(&x.shape, sizes))
}

/// The part of an image that is kept: first row and column, and sizes.
struct Part {
    first: [usize; 2],
    image: [usize; 2],
    size: [usize; 2],
}

fn part(x: &[usize], listed: [Vec<i64>; 2]) -> Result<Part, Failure> {
    let wrong = || Failure::new("crop/amounts", "nothing is left of the image");
    let &[.., height, width] = x else { return Err(wrong()) };
    let [Some(down), Some(across)] = listed.map(|l| amounts(&l)) else { return Err(wrong()) };
    let (Some(rows), Some(columns)) = (left(height, down), left(width, across)) else {
        return Err(wrong());
    };
    Ok(Part { first: [down[0], across[0]], image: [height, width], size: [rows, columns] })
}

impl Part {
    /// The position in the input of the start of row `row`, counted through all images.
    fn row(&self, row: usize) -> usize {
        let (image, y) = (row / self.size[0], row % self.size[0] + self.first[0]);
        (image * self.image[0] + y) * self.image[1] + self.first[1]
    }
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let part = part(&x.shape, [call.ints("crop_height")?, call.ints("crop_width")?])?;
    let rank = x.shape.len();
    let mut shape = x.shape.clone();
    shape[rank - 2..].copy_from_slice(&part.size);
    let rows = x.shape[..rank - 2].iter().product::<usize>() * part.size[0];
    let from: Vec<usize> = (0..rows).flat_map(|r| part.row(r)..part.row(r) + part.size[1]).collect();
    Ok(vec![x.select(&shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let listed = |name| cx.view.ints(name).ok_or_else(|| cx.unplanned(name));
    let part = part(&x.shape, [listed("crop_height")?, listed("crop_width")?])?;
    if part.size == part.image {
        return Ok(CpuKernel::view(slot));
    }
    let bytes = x.dtype.size().ok_or_else(|| cx.unplanned("x"))?;
    Ok(CpuKernel::new(move |call| {
        let x = call.read(slot)?;
        let line = part.size[1] * bytes;
        for (r, out) in output(call.outputs)?.chunks_exact_mut(line).enumerate() {
            out.copy_from_slice(&x[part.row(r) * bytes..][..line]);
        }
        Ok(())
    }))
}
