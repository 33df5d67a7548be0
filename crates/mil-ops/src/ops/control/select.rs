//! `select`: one of two values, element by element.

use crate::contract::*;
use crate::support::broadcast;
use crate::support::plan::output;
use mil_base::{Opset, Type};
use mil_kernels::{Select, bytes_as, bytes_as_mut};

/// The card of `select`.
pub static SELECT: OpDef = OpDef {
    name: "select",
    doc: Doc::page(include_str!("select.md")),
    versions: &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("cond", sets::BOOL),
            Param::tensor("a", sets::PLAIN).group("T"),
            Param::tensor("b", sets::PLAIN).group("T"),
        ],
    )],
    constraints: &[Constraint {
        slug: "select/shapes-broadcast",
        rule: "aligned at their last dimension, the sizes of cond, a and b are equal or 1",
    }],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::Todo("differentiation is a later issue"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let dtype = cx.need("a")?.dtype;
    let shape = broadcast::infer(cx, "select/shapes-broadcast", &["a", "b", "cond"])?;
    cx.one(dtype, shape)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (cond, a, b) = (call.arg("cond")?, call.arg("a")?, call.arg("b")?);
    let shape = broadcast::sizes(&[&a.shape, &b.shape, &cond.shape])
        .ok_or_else(|| Failure::new("op/shapes-differ", "cond, a and b do not broadcast"))?;
    let read = |t: &RefTensor| Ok::<_, Failure>(t.select(&shape, &broadcast::positions(&t.shape, &shape)?));
    let (cond, a, b) = (read(cond)?.i64s(), read(a)?, read(b)?);
    fn choose<T: Copy>(cond: &[i64], a: &[T], b: &[T]) -> Vec<T> {
        cond.iter().zip(a).zip(b).map(|((&c, &a), &b)| if c != 0 { a } else { b }).collect()
    }
    let data = match (&a.data, &b.data) {
        (RefData::Int(a), RefData::Int(b)) => RefData::Int(choose(&cond, a, b)),
        (RefData::Bool(a), RefData::Bool(b)) => RefData::Bool(choose(&cond, a, b)),
        _ => RefData::Float(choose(&cond, &a.f64s(), &b.f64s())),
    };
    Ok(vec![RefTensor { dtype: a.dtype, shape, data }])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    fn kernel<T: bytemuck::Pod + Send + Sync>(plan: Select, [cond, a, b]: [usize; 3]) -> CpuKernel {
        CpuKernel::new(move |call| {
            let (a, b) = (bytes_as::<T>(call.read(a)?), bytes_as::<T>(call.read(b)?));
            plan.run(call.read(cond)?, a, b, bytes_as_mut(output(call.outputs)?), call.pool);
            Ok(())
        })
    }
    let (cond, a, b) = (cx.ty("cond")?, cx.ty("a")?, cx.ty("b")?);
    let plan = Select::new(&cond.shape, &a.shape, &b.shape).ok_or_else(|| cx.unplanned("cond"))?;
    let slots = [cx.need("cond")?, cx.need("a")?, cx.need("b")?];
    match a.dtype.size() {
        Some(1) => Ok(kernel::<u8>(plan, slots)),
        Some(2) => Ok(kernel::<u16>(plan, slots)),
        Some(4) => Ok(kernel::<u32>(plan, slots)),
        _ => Err(cx.unplanned("a")),
    }
}
