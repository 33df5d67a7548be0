//! `logical_not`: true where false.

use crate::contract::*;
use crate::support::elementwise::same_type;
use crate::support::plan::output;
use mil_base::Opset;

/// The card of `logical_not`.
pub static LOGICAL_NOT: OpDef = OpDef {
    name: "logical_not",
    doc: Doc::page(include_str!("logical_not.md")),
    versions: &[Version::new(Opset::Ios15, &[Param::tensor("x", sets::BOOL)])],
    constraints: &[],
    infer: same_type,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::None("bools have no derivative"),
    ane: Ane::Todo("the Neural Engine's rules are a later issue"),
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    Ok(vec![RefTensor::bools(&x.shape, x.i64s().into_iter().map(|v| v == 0).collect())])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let x = cx.need("x")?;
    Ok(CpuKernel::new(move |call| {
        mil_kernels::unary::not(call.read(x)?, output(call.outputs)?, call.pool);
        Ok(())
    }))
}
