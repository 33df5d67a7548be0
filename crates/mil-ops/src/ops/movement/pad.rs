//! `pad`: a border around a tensor.

use super::common::Problem;
use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::{GRAIN, by_size, element_size, output};
use crate::support::words::Words;
use mil_base::{Dim, Opset, Shape, Tensor, Type};
use mil_kernels::{Pad, PadMode, bytes_as, bytes_as_mut};

/// The card of `pad`.
pub static PAD: OpDef = OpDef {
    name: "pad",
    doc: Doc::page(include_str!("pad.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::FLOAT).group("T"),
            Param::tensor("pad", sets::INT32),
            Param::constant("mode", sets::STRING).or(Default::Str("constant")),
            Param::constant("constant_val", sets::FLOAT).group("T").or(Default::Float(0.0)),
        ],
    )],
    constraints: &[
        Constraint {
            slug: "pad/pad-length",
            rule: "pad has two entries for each of the last dimensions of x; at run time, for each dimension",
        },
        Constraint { slug: "pad/not-negative", rule: "no entry of pad is negative" },
        Constraint { slug: "pad/mode-known", rule: "mode is constant, reflect or replicate" },
        Constraint {
            slug: "pad/border-fits",
            rule: "reflect takes a border smaller than the dimension; replicate needs at least one element",
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

/// What the border holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Constant,
    Reflect,
    Replicate,
}

impl Mode {
    fn parse(text: &str) -> Option<Mode> {
        Some(match text {
            "constant" => Mode::Constant,
            "reflect" => Mode::Reflect,
            "replicate" => Mode::Replicate,
            _ => return None,
        })
    }
}

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let rank = x.shape.rank();
    let name = cx.need_str("mode")?;
    let Some(mode) = Mode::parse(&name) else {
        let help = "use constant, reflect or replicate";
        return Err(cx.refuse("pad/mode-known", "mode", format!("there is no mode `{name}`"), help));
    };
    let pad = cx.need("pad")?;
    let pads = cx.ints("pad");
    let length = match &pads {
        Some(pads) => Some(pads.len()),
        None => pad.shape.first().and_then(|d| d.known()),
    };
    let fits =
        length.is_none_or(|n| n.is_multiple_of(2) && n / 2 <= rank && (pads.is_some() || n / 2 == rank));
    if pad.shape.rank() != 1 || !fits {
        let message = format!("`pad` is {} but x has rank {rank}", pad.shape);
        let help =
            "give two entries for each of the last dimensions of x, for every dimension if `pad` is computed";
        return Err(cx.refuse("pad/pad-length", "pad", message, help));
    }
    let Some(pads) = pads else {
        return cx.one(x.dtype, Shape(vec![Dim::Unknown; rank]));
    };
    match padded(&x.shape, &pads, mode) {
        Ok((shape, _)) => cx.one(x.dtype, Shape(shape)),
        Err(problem) => Err(problem.refuse(cx, "pad")),
    }
}

/// The padded shape and the border of each dimension, before and after.
#[allow(clippy::type_complexity)]
fn padded(x: &[Dim], pads: &[i64], mode: Mode) -> Result<(Vec<Dim>, Vec<(usize, usize)>), Problem> {
    let unpadded =
        x.len().checked_sub(pads.len() / 2).filter(|_| pads.len().is_multiple_of(2)).ok_or_else(|| {
            let message = format!("`pad` has {} entries but x has rank {}", pads.len(), x.len());
            Problem::new("pad/pad-length", message, "give two entries for each of the last dimensions of x")
        })?;
    let mut shape = x.to_vec();
    let mut borders = vec![(0, 0); x.len()];
    for (d, pair) in (unpadded..).zip(pads.chunks_exact(2)) {
        let [before, after] = [pair[0], pair[1]].map(|p| usize::try_from(p).ok());
        let (Some(before), Some(after)) = (before, after) else {
            let message = format!("dimension {d} cannot get a border of {} and {}", pair[0], pair[1]);
            return Err(Problem::new("pad/not-negative", message, "use slice_by_index to cut a tensor"));
        };
        if let Some(size) = x[d].known() {
            let limit = match mode {
                Mode::Constant => usize::MAX,
                Mode::Reflect => size.saturating_sub(1),
                Mode::Replicate => {
                    if size == 0 {
                        0
                    } else {
                        usize::MAX
                    }
                }
            };
            if before.max(after) > limit {
                let message =
                    format!("a border of {} is too wide for dimension {d} of size {size}", before.max(after));
                let help =
                    "reflect repeats no edge, so it has size - 1 elements to show; use replicate or constant";
                return Err(Problem::new("pad/border-fits", message, help));
            }
        }
        if (before, after) != (0, 0) {
            shape[d] = x[d].map(|n| n.checked_add(before)?.checked_add(after));
        }
        borders[d] = (before, after);
    }
    Ok((shape, borders))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let name = call.str("mode")?;
    let mode = Mode::parse(&name)
        .ok_or_else(|| Failure::new("pad/mode-known", format!("there is no mode `{name}`")))?;
    let (shape, borders) = padded(&Shape::known(&x.shape), &call.ints("pad")?, mode)?;
    let shape = Shape(shape).sizes();
    let shape = shape.ok_or_else(|| Failure::new("op/result-too-large", "the padded tensor is too large"))?;
    let fill = if mode == Mode::Constant { call.float("constant_val")? } else { 0.0 };
    let strides = row_major(&x.shape);
    let values = x.f64s();
    let data = each(&shape, |at| {
        let mut from = 0;
        for d in 0..at.len() {
            let (i, n) = (at[d] as i64 - borders[d].0 as i64, x.shape[d] as i64);
            let i = match mode {
                Mode::Constant if !(0..n).contains(&i) => return fill,
                Mode::Reflect if i < 0 => -i,
                Mode::Reflect if i >= n => 2 * (n - 1) - i,
                Mode::Replicate => i.clamp(0, n - 1),
                _ => i,
            };
            from += i as usize * strides[d];
        }
        values[from]
    })?;
    Ok(vec![RefTensor::floats(x.dtype, &shape, data)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (x, slot, bytes) = (cx.ty("x")?, cx.need("x")?, element_size(cx, 0)?);
    let mode = cx.view.str("mode").and_then(|m| Mode::parse(&m)).ok_or_else(|| cx.unplanned("mode"))?;
    let value = cx.view.float("constant_val").ok_or_else(|| cx.unplanned("constant_val"))?;
    let value = Tensor::from_f64(x.dtype, &[], &[value]).map_err(|_| cx.unplanned("constant_val"))?;
    let Some(pads) = cx.view.ints("pad") else { return plan_open(cx, mode, value) };
    let (_, borders) = padded(&Shape::known(&x.shape), &pads, mode)?;
    let (before, after): (Vec<usize>, Vec<usize>) = borders.into_iter().unzip();
    let pad = Pad::new(&x.shape, &before, &after);
    Ok(CpuKernel::new(move |call| {
        let (x, pool) = (call.read(slot)?, call.pool);
        let out = output(call, 0)?;
        by_size!(bytes, T => {
            let mode = match mode {
                Mode::Constant => PadMode::Constant(bytemuck::pod_read_unaligned::<T>(value.bytes())),
                Mode::Reflect => PadMode::Reflect,
                Mode::Replicate => PadMode::Replicate,
            };
            pad.run::<T>(mode, bytes_as(x), bytes_as_mut(out), pool);
        });
        Ok(())
    }))
}

/// The kernel for a border that comes at run time, in an output whose size is declared.
fn plan_open(cx: &CpuCx<'_>, mode: Mode, value: Tensor) -> Result<CpuKernel, Failure> {
    let (x, slot, bytes) = (cx.ty("x")?.shape, cx.need("x")?, element_size(cx, 0)?);
    let out_shape = cx.outputs.first().ok_or_else(|| cx.unplanned("pad"))?.shape.clone();
    let (pads, strides) = (Words::of(cx, "pad")?, row_major(&x));
    let width = out_shape.last().copied().unwrap_or(1).max(1);
    Ok(CpuKernel::new(move |call| {
        let pads = pads.read(call)?;
        for (d, (&size, &padded)) in x.iter().zip(&out_shape).enumerate() {
            let (before, after) = (pads.at(2 * d), pads.at(2 * d + 1));
            let most = if mode == Mode::Reflect { size as i64 - 1 } else { i64::from(i32::MAX) };
            let fits = (0..=most).contains(&before) && (0..=most).contains(&after);
            if !fits || before + after + size as i64 != padded as i64 {
                let message = format!(
                    "a border of {before} and {after} does not make dimension {d} of {size} one of {padded}"
                );
                return Err(Failure::new("pad/border-fits", message));
            }
        }
        let (input, pool) = (call.read(slot)?, call.pool);
        let out = output(call, 0)?;
        let place = |d: usize, i: usize| {
            let (i, n) = (i as i64 - pads.at(2 * d), x[d] as i64);
            let at = match mode {
                Mode::Constant if !(0..n).contains(&i) => return None,
                Mode::Reflect if i < 0 => -i,
                Mode::Reflect if i >= n => 2 * (n - 1) - i,
                Mode::Replicate => i.clamp(0, n - 1),
                _ => i,
            };
            Some(at as usize * strides[d])
        };
        by_size!(bytes, T => {
            let (input, fill) = (bytes_as::<T>(input), bytemuck::pod_read_unaligned::<T>(value.bytes()));
            pool.for_pieces(bytes_as_mut::<T>(out), width, (GRAIN / width).max(1), |row, line| {
                let (mut rest, mut first) = (row, Some(0));
                for d in (0..x.len().saturating_sub(1)).rev() {
                    first = first.zip(place(d, rest % out_shape[d])).map(|(a, b)| a + b);
                    rest /= out_shape[d];
                }
                for (i, o) in line.iter_mut().enumerate() {
                    let last = if x.is_empty() { Some(0) } else { place(x.len() - 1, i) };
                    *o = first.zip(last).map_or(fill, |(a, b)| input[a + b]);
                }
            });
        });
        Ok(())
    }))
}
