//! `cumsum`: running sums along an axis.

use crate::contract::*;
use crate::support::axes::{Around, resolve};
use crate::support::elementwise::{each, same_type};
use crate::support::plan::{for_float, output};
use mil_base::{DType, Opset, Type};
use mil_kernels::scan::Scan;
use mil_kernels::{Float, bytes_as, bytes_as_mut};

/// The card of `cumsum`.
pub static CUMSUM: OpDef = OpDef {
    name: "cumsum",
    doc: Doc::page(include_str!("cumsum.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("x", sets::NUMBER).group("T"),
            Param::constant("axis", sets::INT32).or(Default::Int(0)),
            Param::constant("exclusive", sets::BOOL).or(Default::Bool(false)),
            Param::constant("reverse", sets::BOOL).or(Default::Bool(false)),
        ],
    )],
    constraints: &[Constraint {
        slug: "cumsum/axis-in-range",
        rule: "axis is in -1..rank (coremltools, iOS15 cumsum: of the negative axes only -1)",
    }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |op| each(op, 1),
    accuracy: Accuracy::ROUNDED,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let rank = cx.need("x")?.shape.rank();
    let axis = cx.need_int("axis")?;
    if axis < -1 {
        return Err(cx.refuse(
            "cumsum/axis-in-range",
            "axis",
            format!("axis {axis} is out of range"),
            "count the axis from the start: of the negative ones only -1 is allowed",
        ));
    }
    cx.axis("cumsum/axis-in-range", "axis", axis, rank)?;
    same_type(cx)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let around = Around::new(&x.shape, resolve(call.int("axis")?, x.shape.len())?);
    let order = Order { around, exclusive: call.bool("exclusive")?, reverse: call.bool("reverse")? };
    Ok(vec![match &x.data {
        RefData::Int(v) => RefTensor::ints(x.dtype, &x.shape, order.sums(v, 0, i64::wrapping_add)),
        _ => RefTensor::floats(x.dtype, &x.shape, order.sums(&x.f64s(), 0.0, |a, b| a + b)),
    }])
}

struct Order {
    around: Around,
    exclusive: bool,
    reverse: bool,
}

impl Order {
    fn sums<T: Copy>(&self, values: &[T], zero: T, add: fn(T, T) -> T) -> Vec<T> {
        let mut out = values.to_vec();
        for start in self.around.lines() {
            let mut sum = zero;
            for step in 0..self.around.along {
                let place = if self.reverse { self.around.along - 1 - step } else { step };
                let at = start + place * self.around.after;
                let with = add(sum, values[at]);
                out[at] = if self.exclusive { sum } else { with };
                sum = with;
            }
        }
        out
    }
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    fn kernel<T: Float>(scan: Scan, shape: [usize; 3], x: usize) -> CpuKernel {
        CpuKernel::new(move |call| {
            let (x, out) = (bytes_as::<T>(call.read(x)?), bytes_as_mut::<T>(output(call.outputs)?));
            scan.run(shape, x, out, call.pool);
            Ok(())
        })
    }
    let (x, slot) = (cx.ty("x")?, cx.need("x")?);
    let flag = |name: &str| cx.view.bool(name).ok_or_else(|| cx.unplanned(name));
    let scan = Scan { exclusive: flag("exclusive")?, reverse: flag("reverse")? };
    let axis = resolve(cx.view.int("axis").ok_or_else(|| cx.unplanned("axis"))?, x.shape.len())?;
    let Around { before, along, after } = Around::new(&x.shape, axis);
    let shape = [before, along, after];
    if x.dtype == DType::Int32 {
        return Ok(CpuKernel::new(move |call| {
            let (x, out) = (bytes_as::<i32>(call.read(slot)?), bytes_as_mut(output(call.outputs)?));
            scan.run_int(shape, x, out, call.pool);
            Ok(())
        }));
    }
    for_float!(cx, "x", x.dtype, T => Ok(kernel::<T>(scan, shape, slot)))
}
