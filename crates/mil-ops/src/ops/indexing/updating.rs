//! What the scatter ops do with an element and its update.

use crate::contract::{Alias, CpuCx, CpuKernel, Failure, KernelCall, RefData, RefTensor};
use crate::support::moves::{bring, by_size, output};
use mil_base::{DType, f16};
use mil_kernels::{bytes_as, bytes_as_mut};

/// How an update changes an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The update takes its place.
    Update,
    /// `x + u`.
    Add,
    /// `x - u`.
    Sub,
    /// `x * u`.
    Mul,
    /// `x / u`; integers round toward zero.
    Div,
    /// The larger.
    Max,
    /// The smaller.
    Min,
}

/// The rule every scatter op states about its mode.
pub const RULE: &str = "mode is add, div, max, min, mul, sub or update";
/// The remedy for a wrong mode.
pub const MODES: &str = "use add, div, max, min, mul, sub or update";

impl Mode {
    /// The mode of that name.
    pub fn parse(text: &str) -> Option<Mode> {
        Some(match text {
            "update" => Mode::Update,
            "add" => Mode::Add,
            "sub" => Mode::Sub,
            "mul" => Mode::Mul,
            "div" => Mode::Div,
            "max" => Mode::Max,
            "min" => Mode::Min,
            _ => return None,
        })
    }

    fn float32(self, x: f32, u: f32) -> f32 {
        match self {
            Mode::Update => u,
            Mode::Add => x + u,
            Mode::Sub => x - u,
            Mode::Mul => x * u,
            Mode::Div => x / u,
            Mode::Max => x.max(u),
            Mode::Min => x.min(u),
        }
    }

    fn float(self, x: f64, u: f64) -> f64 {
        match self {
            Mode::Update => u,
            Mode::Add => x + u,
            Mode::Sub => x - u,
            Mode::Mul => x * u,
            Mode::Div => x / u,
            Mode::Max => x.max(u),
            Mode::Min => x.min(u),
        }
    }

    /// Nothing where an integer is divided by 0.
    fn int(self, x: i64, u: i64) -> Option<i64> {
        Some(match self {
            Mode::Update => u,
            Mode::Add => x.wrapping_add(u),
            Mode::Sub => x.wrapping_sub(u),
            Mode::Mul => x.wrapping_mul(u),
            Mode::Div => x.checked_div(u)?,
            Mode::Max => x.max(u),
            Mode::Min => x.min(u),
        })
    }
}

/// `data` with its element at each of `targets` changed by the update at the same place, in order; updates without a
/// target are ignored.
pub fn updated(
    mode: Mode,
    data: &RefTensor,
    targets: &[Option<usize>],
    updates: &RefTensor,
) -> Result<RefTensor, Failure> {
    let pairs = || targets.iter().enumerate().filter_map(|(i, at)| Some((i, (*at)?)));
    if let RefData::Float(values) = &data.data {
        let (mut values, updates) = (values.clone(), updates.f64s());
        for (i, at) in pairs() {
            values[at] = mode.float(values[at], updates[i]);
        }
        return Ok(RefTensor::floats(data.dtype, &data.shape, values));
    }
    let (mut values, updates) = (data.i64s(), updates.i64s());
    for (i, at) in pairs() {
        values[at] = mode.int(values[at], updates[i]).ok_or_else(by_zero)?;
    }
    Ok(RefTensor::ints(data.dtype, &data.shape, values))
}

/// One slice of updates: `width` elements from `from` on in the updates change those from `to` on in the data.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Position in the updates.
    pub from: usize,
    /// Position in the data.
    pub to: usize,
}

/// The kernel that changes slices of `width` elements of `data`, in the order that `changes` calls its function for
/// them. fp16 data that is computed with is widened first and rounded once at the end.
pub fn kernel(
    cx: &CpuCx<'_>,
    mode: Mode,
    width: usize,
    changes: impl Fn(&KernelCall<'_>, &mut dyn FnMut(Change) -> Result<(), Failure>) -> Result<(), Failure>
    + Send
    + Sync
    + 'static,
) -> Result<CpuKernel, Failure> {
    let (data, slot, updates) = (cx.ty("data")?, cx.need("data")?, cx.need("updates")?);
    let (dtype, count) = (data.dtype, data.count());
    let size = dtype.size().ok_or_else(|| cx.unplanned("data"))?;
    let picks = matches!(mode, Mode::Update);
    let widened = dtype == DType::Fp16 && !picks;
    let kernel = CpuKernel::new(move |call| {
        bring(call, slot)?;
        let u = call.read(updates)?;
        if picks {
            // The slices are found before the output is borrowed: what a change needs is copied out of the call.
            let inputs =
                KernelCall { inputs: call.inputs, outputs: &mut [], scratch: &mut [], pool: call.pool };
            let out = output(call, 0)?;
            return by_size!(size, T => {
                let (u, out) = (bytes_as::<T>(u), bytes_as_mut::<T>(out));
                changes(&inputs, &mut |c| {
                    out[c.to..c.to + width].copy_from_slice(&u[c.from..c.from + width]);
                    Ok(())
                })
            });
        }
        let inputs = KernelCall { inputs: call.inputs, outputs: &mut [], scratch: &mut [], pool: call.pool };
        let out = call.outputs.first_mut().map(|o| &mut **o);
        let out = out.ok_or_else(|| Failure::new("op/output-missing", "an output buffer is missing"))?;
        match dtype {
            DType::Fp16 => {
                let out = bytes_as_mut::<f16>(out);
                let wide = &mut bytes_as_mut::<f32>(&mut call.scratch[..count * 4])[..count];
                wide.iter_mut().zip(&*out).for_each(|(w, o)| *w = o.to_f32());
                let u = bytes_as::<f16>(u);
                changes(&inputs, &mut |c| {
                    for i in 0..width {
                        wide[c.to + i] = mode.float32(wide[c.to + i], u[c.from + i].to_f32());
                    }
                    Ok(())
                })?;
                out.iter_mut().zip(&*wide).for_each(|(o, w)| *o = f16::from_f32(*w));
                Ok(())
            }
            DType::Fp32 => {
                let (u, out) = (bytes_as::<f32>(u), bytes_as_mut::<f32>(out));
                changes(&inputs, &mut |c| {
                    for i in 0..width {
                        out[c.to + i] = mode.float32(out[c.to + i], u[c.from + i]);
                    }
                    Ok(())
                })
            }
            _ => {
                let (u, out) = (bytes_as::<i32>(u), bytes_as_mut::<i32>(out));
                changes(&inputs, &mut |c| {
                    for i in 0..width {
                        let changed = mode.int(i64::from(out[c.to + i]), i64::from(u[c.from + i]));
                        out[c.to + i] = changed.ok_or_else(by_zero)? as i32;
                    }
                    Ok(())
                })
            }
        }
    });
    Ok(kernel.alias(Alias::InPlace(slot)).scratch(if widened { count * 4 } else { 0 }))
}

fn by_zero() -> Failure {
    Failure::new("op/integer-division-by-zero", "an integer is divided by 0")
}
