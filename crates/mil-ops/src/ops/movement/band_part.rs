//! `band_part`: a band around the diagonal of each matrix, zero elsewhere.

use super::common::X;
use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::{bring, output};
use mil_base::{Opset, Type};

/// The card of `band_part`.
pub static BAND_PART: OpDef = OpDef {
    name: "band_part",
    doc: Doc::page(include_str!("band_part.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            X,
            Param::constant("lower", sets::INT32).or(Default::Int(-1)),
            Param::constant("upper", sets::INT32).or(Default::Int(-1)),
        ],
    )],
    constraints: &[Constraint { slug: "band_part/matrices", rule: "x has at least two dimensions" }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    cx.need_int("lower")?;
    cx.need_int("upper")?;
    if x.shape.rank() < 2 {
        let message = format!("x has the shape {} and no matrix", x.shape);
        return Err(cx.refuse(
            "band_part/matrices",
            "x",
            message,
            "the band is one of the last two dimensions",
        ));
    }
    cx.one(x.dtype, x.shape.clone())
}

/// Is the element of row `m` and column `n` in the band?
fn in_band(lower: i64, upper: i64, m: usize, n: usize) -> bool {
    let (m, n) = (m as i64, n as i64);
    (lower < 0 || m - n <= lower) && (upper < 0 || n - m <= upper)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let (lower, upper) = (call.int("lower")?, call.int("upper")?);
    let Some(row) = x.shape.len().checked_sub(2) else {
        return Err(Failure::new("band_part/matrices", "x has less than two dimensions"));
    };
    let kept = each(&x.shape, |at| in_band(lower, upper, at[row], at[row + 1]))?;
    let data = x.f64s().iter().zip(kept).map(|(&v, kept)| if kept { v } else { 0.0 }).collect();
    Ok(vec![RefTensor::from_f64(x.dtype, &x.shape, data)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let number = |name: &str| cx.view.int(name).ok_or_else(|| cx.unplanned(name));
    let (lower, upper) = (number("lower")?, number("upper")?);
    let &[.., rows, columns] = x.shape.as_slice() else { return Err(cx.unplanned("x")) };
    let bytes = x.dtype.size().ok_or_else(|| cx.unplanned("x"))?;
    let kernel = CpuKernel::new(move |call| {
        bring(call, slot)?;
        for (i, line) in output(call, 0)?.chunks_exact_mut((columns * bytes).max(1)).enumerate() {
            // The band of row m goes from column m - lower to column m + upper.
            let m = (i % rows) as i64;
            let place = |column: i64| column.clamp(0, columns as i64) as usize * bytes;
            let begin = if lower < 0 { 0 } else { place(m - lower) };
            let end = if upper < 0 { line.len() } else { place(m + upper + 1) };
            line[..begin].fill(0);
            line[end.max(begin)..].fill(0);
        }
        Ok(())
    });
    Ok(kernel.alias(Alias::InPlace(slot)))
}
