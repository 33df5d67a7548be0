//! Small values computed while checking, so that arithmetic on shapes is known before execution.
//!
//! Three facts about ops that no card states live here: `shape` depends on the type of its argument only, the results
//! of `constexpr_*` ops stay unexpanded because they may be large, and random ops differ from run to run.

use mil_base::{DType, Tensor, Type};
use mil_ir::{Binding, Op};
use mil_ops::OpView;
use mil_ops::contract::{RefCall, RefTensor, Reference};

/// Most elements of an argument or result that is folded.
const LARGEST: usize = 1024;
/// Most elements of a float result that is folded: scale factors on their way to a size, not data.
const LARGEST_FLOAT: usize = 16;

/// Is the op's result constant although its contents are not computed here?
pub(crate) fn is_constexpr(op: &Op) -> bool {
    op.name.starts_with("constexpr_")
}

/// The contents of the outputs, if they are small and follow from known values. `types` are those of the outputs.
pub(crate) fn fold(view: &OpView<'_>, types: &[Type]) -> Option<Vec<Tensor>> {
    let op = view.op();
    if &*op.name == "const" {
        return Some(vec![view.program.tensor(op.attribute("val")?)?]);
    }
    if !op.blocks.is_empty() || is_constexpr(op) || op.name.starts_with("random_") || types.is_empty() {
        return None;
    }
    let small = |ty: &Type| {
        let ty = ty.as_tensor()?;
        let most = if ty.dtype.is_float() { LARGEST_FLOAT } else { LARGEST };
        (ty.dtype != DType::String && ty.shape.count()? <= most).then(|| ty.clone())
    };
    let outputs = types.iter().map(small).collect::<Option<Vec<_>>>()?;
    if &*op.name == "shape" {
        let sizes: Vec<i64> = view.ty("x")?.shape.sizes()?.into_iter().map(|n| n as i64).collect();
        return Some(vec![Tensor::from_i64(outputs[0].dtype, &[sizes.len()], &sizes).ok()?]);
    }
    let Reference::Rule(rule) = view.def.reference else { return None };
    let read = |tensor: Tensor| (tensor.count() <= LARGEST).then(|| RefTensor::of(&tensor));
    let mut owned: Vec<(&str, Vec<RefTensor>)> = Vec::with_capacity(op.args.len());
    for (name, arg) in &op.args {
        let one = |binding: &Binding| match binding {
            Binding::Value(v) => read(view.known.get(v.index())?.clone()?),
            Binding::Constant(c) => read(view.program.tensor(c)?),
        };
        owned.push((&**name, arg.0.iter().map(one).collect::<Option<_>>()?));
    }
    for (name, constant) in op.attributes.iter().filter(|(n, _)| n != "name") {
        owned.push((&**name, vec![read(view.program.tensor(constant)?)?]));
    }
    let args = owned.iter().map(|(n, tensors)| (*n, tensors.iter().collect())).collect();
    let call = RefCall { def: view.def, version: view.version, args, outputs: outputs.clone() };
    let results = rule(&call).ok()?;
    let fits = |(result, ty): (RefTensor, &mil_base::TensorType)| {
        let tensor = result.to_tensor().ok()?;
        let same = tensor.dtype() == ty.dtype && ty.shape.may_equal(&tensor.ty().shape);
        same.then_some(tensor)
    };
    if results.len() != outputs.len() {
        return None;
    }
    results.into_iter().zip(&outputs).map(fits).collect()
}
