//! Plans of kernels that many cards share.

use crate::contract::{Alias, Cpu, CpuCx, CpuKernel, CpuRule, Failure, KernelCall, PlanFn, PostOp};
use crate::support::steps::Steps;
use mil_base::{DType, f16};
use mil_kernels::binary::{binary_then, compare, int_binary};
use mil_kernels::unary::{channels_then, int_unary};
use mil_kernels::{Binary, Broadcast, Compare, Float, IntUnary, Pool, Then, Unary, bytes_as, bytes_as_mut};

/// A kernel that applies fused steps.
pub const fn fusing(plan: PlanFn) -> Cpu {
    Cpu::Kernel(CpuRule { plan, as_post: None, takes_post: true })
}

/// A kernel that applies fused steps and whose op can be one itself.
pub const fn fusible(plan: PlanFn, as_post: AsPost) -> Cpu {
    Cpu::Kernel(CpuRule { plan, as_post: Some(as_post), takes_post: true })
}

/// [`CpuRule::as_post`] of an op that can be a fused step.
pub type AsPost = fn(&CpuCx<'_>, slot: usize) -> Option<PostOp>;

/// Chooses `$body` with `$t` bound to `f32` or `f16`, or fails for other types of the argument `$name`.
macro_rules! for_float {
    ($cx:expr, $name:expr, $dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            mil_base::DType::Fp32 => {
                type $t = f32;
                $body
            }
            mil_base::DType::Fp16 => {
                type $t = mil_base::f16;
                $body
            }
            _ => Err($cx.unplanned($name)),
        }
    };
}
pub(crate) use for_float;

/// A float parameter (or its default) of a plan.
pub fn scalar(cx: &CpuCx<'_>, name: &str) -> Result<f32, Failure> {
    cx.view.float(name).map(|v| v as f32).ok_or_else(|| cx.unplanned(name))
}

/// Output 0 of a call.
pub fn output<'c>(outputs: &'c mut [&mut [u8]]) -> Result<&'c mut [u8], Failure> {
    match outputs.first_mut() {
        Some(out) => Ok(out),
        None => Err(Failure::new("op/output-missing", "an output buffer is missing")),
    }
}

/// A float function of each element of `x`, with fused steps, in place if it can be.
pub fn unary(cx: &CpuCx<'_>, op: Unary) -> Result<CpuKernel, Failure> {
    channels(cx, vec![op], 1)
}

/// As [`unary`] with a function for each channel: every `after` elements the next is used.
pub fn channels(cx: &CpuCx<'_>, ops: Vec<Unary>, after: usize) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float>(ops: Vec<Unary>, after: usize, slot: usize, steps: Steps) -> CpuKernel {
        let alias = if steps.read_nothing() { Alias::InPlace(slot) } else { Alias::None };
        CpuKernel::new(move |call| {
            let operands = steps.operands(call)?;
            let then = Then { steps: &steps.epilogue, operands: &operands };
            let (x, out) = (call.input(slot).map(bytes_as::<T>), bytes_as_mut::<T>(output(call.outputs)?));
            channels_then(&ops, after, x, out, then, call.pool);
            Ok(())
        })
        .alias(alias)
    }
    let (dtype, slot, steps) = (cx.ty("x")?.dtype, cx.need("x")?, Steps::new(cx)?);
    for_float!(cx, "x", dtype, T => Ok(kernel::<T>(ops, after, slot, steps)))
}

/// A float function of each element of `x`, or another if `x` is int32.
pub fn unary_or_int(cx: &CpuCx<'_>, float: Unary, int: IntUnary) -> Result<CpuKernel, Failure> {
    if cx.ty("x")?.dtype != DType::Int32 {
        return unary(cx, float);
    }
    ints(cx, move |x, out, pool| int_unary(int, x, out, pool))
}

/// A function of the int32 tensor `x`.
pub fn ints(
    cx: &CpuCx<'_>,
    f: impl Fn(&[i32], &mut [i32], &Pool) + Send + Sync + 'static,
) -> Result<CpuKernel, Failure> {
    let slot = cx.need("x")?;
    Ok(CpuKernel::new(move |call| {
        f(bytes_as(call.read(slot)?), bytes_as_mut(output(call.outputs)?), call.pool);
        Ok(())
    }))
}

/// How `x` and `y` are read together.
fn pair(cx: &CpuCx<'_>) -> Result<(Broadcast, usize, usize), Failure> {
    let (x, y) = (cx.ty("x")?, cx.ty("y")?);
    let plan = Broadcast::new(&x.shape, &y.shape).ok_or_else(|| cx.unplanned("y"))?;
    Ok((plan, cx.need("x")?, cx.need("y")?))
}

/// A function of two broadcast tensors of floats or int32: floats with fused steps, in place if it can be.
pub fn binary(cx: &CpuCx<'_>, op: Binary) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float>(op: Binary, plan: Broadcast, x: usize, y: usize, steps: Steps) -> CpuKernel {
        CpuKernel::new(move |call| {
            let operands = steps.operands(call)?;
            let then = Then { steps: &steps.epilogue, operands: &operands };
            let (a, b) = (call.input(x).map(bytes_as::<T>), call.input(y).map(bytes_as::<T>));
            if a.is_none() && b.is_none() {
                return Err(Failure::new("op/input-missing", "both input buffers are missing"));
            }
            binary_then(op, &plan, a, b, bytes_as_mut::<T>(output(call.outputs)?), then, call.pool);
            Ok(())
        })
    }
    let (plan, x, y) = pair(cx)?;
    let dtype = cx.ty("x")?.dtype;
    if dtype == DType::Int32 {
        return Ok(CpuKernel::new(move |call| {
            let (a, b) = (bytes_as::<i32>(call.read(x)?), bytes_as::<i32>(call.read(y)?));
            int_binary(op, &plan, a, b, bytes_as_mut(output(call.outputs)?), call.pool);
            Ok(())
        }));
    }
    let steps = Steps::new(cx)?;
    let once = cx.view.value("x").is_none() || cx.view.value("x") != cx.view.value("y");
    let fits = |name: &str| cx.ty(name).is_ok_and(|t| t.shape == plan.shape());
    let alias = match once && steps.read_nothing() {
        true if fits("x") => Alias::InPlace(x),
        true if fits("y") => Alias::InPlace(y),
        _ => Alias::None,
    };
    for_float!(cx, "x", dtype, T => Ok(kernel::<T>(op, plan, x, y, steps).alias(alias)))
}

/// A comparison of two broadcast tensors of floats or int32.
pub fn comparison(cx: &CpuCx<'_>, op: Compare) -> Result<CpuKernel, Failure> {
    fn kernel<T: bytemuck::Pod + Sync + PartialOrd>(
        op: Compare,
        (plan, x, y): (Broadcast, usize, usize),
    ) -> CpuKernel {
        CpuKernel::new(move |call: &mut KernelCall<'_>| {
            let (a, b) = (bytes_as::<T>(call.read(x)?), bytes_as::<T>(call.read(y)?));
            compare(op, &plan, a, b, output(call.outputs)?, call.pool);
            Ok(())
        })
    }
    let pair = pair(cx)?;
    match cx.ty("x")?.dtype {
        DType::Fp32 => Ok(kernel::<f32>(op, pair)),
        DType::Fp16 => Ok(kernel::<f16>(op, pair)),
        DType::Int32 => Ok(kernel::<i32>(op, pair)),
        _ => Err(cx.unplanned("x")),
    }
}

/// How `x` and `y` are read together, for kernels on bools.
pub fn bools(
    cx: &CpuCx<'_>,
    f: impl Fn(&Broadcast, &[u8], &[u8], &mut [u8], &Pool) + Send + Sync + 'static,
) -> Result<CpuKernel, Failure> {
    let (plan, x, y) = pair(cx)?;
    Ok(CpuKernel::new(move |call| {
        f(&plan, call.read(x)?, call.read(y)?, output(call.outputs)?, call.pool);
        Ok(())
    }))
}

/// The step `op` if the fused input is `x`, a tensor of floats.
pub fn post(cx: &CpuCx<'_>, slot: usize, op: PostOp) -> Option<PostOp> {
    let float = matches!(cx.ty("x").ok()?.dtype, DType::Fp16 | DType::Fp32);
    (float && cx.slot("x") == Some(slot)).then_some(op)
}

/// The other operand of a function of `x` and `y` as seen from the fused input at `slot`.
pub enum Other {
    /// One value, known when the program is planned.
    Scalar(f32),
    /// A tensor with the type of the result, at this slot.
    Same(usize),
}

/// What stands beside the fused input, if the result has the fused input's type: its name (`x` or `y`) and value.
pub fn beside(cx: &CpuCx<'_>, slot: usize) -> Option<(&'static str, Other)> {
    let (this, other) = match slot {
        s if cx.slot("x") == Some(s) => ("x", "y"),
        s if cx.slot("y") == Some(s) => ("y", "x"),
        _ => return None,
    };
    let (mine, theirs) = (cx.ty(this).ok()?, cx.ty(other).ok()?);
    let float = matches!(mine.dtype, DType::Fp16 | DType::Fp32);
    if !float || cx.outputs.first() != Some(&mine) {
        return None;
    }
    match cx.tensor(other).filter(|t| t.count() == 1).and_then(|t| t.item_f64()) {
        Some(value) => Some((other, Other::Scalar(value as f32))),
        None if theirs == mine => Some((other, Other::Same(cx.slot(other)?))),
        None => None,
    }
}
