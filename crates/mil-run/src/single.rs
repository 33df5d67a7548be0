//! One op at concrete shapes: its kernel, and running it once on buffers of its own.

use crate::arena::Aligned;
use crate::codes;
use bytes::Bytes;
use mil_base::{Tensor, Type};
use mil_ir::{Binding, Constant, ValueId};
use mil_kernels::Pool;
use mil_ops::OpView;
use mil_ops::contract::{Alias, Concrete, Cpu, CpuCx, CpuKernel, Failure, KernelCall, PostOp};

/// How an op will be computed.
pub(crate) enum Choice {
    /// By its card's kernel.
    Kernel(CpuKernel),
    /// By its card's reference rule, with the reason.
    Rule(String),
}

/// The type with known sizes of a tensor value; strings have none.
pub(crate) fn concrete(ty: &Type) -> Option<Concrete> {
    let ty = ty.as_tensor()?;
    let shape = ty.shape.sizes()?;
    let count = mil_base::tensor::count(&shape)?;
    ty.dtype.bytes_for(count)?;
    Some(Concrete { dtype: ty.dtype, shape })
}

/// Are results of these shapes what the checker took them to be? It must take declarations on trust where ranks or sizes
/// depend on data. A scalar may be declared with one element.
pub(crate) fn as_declared<'s>(
    view: &OpView<'_>,
    types: &[Option<Type>],
    shapes: impl Iterator<Item = &'s [usize]>,
) -> Result<(), Failure> {
    for (&output, shape) in view.op().outputs.iter().zip(shapes) {
        let Some(Some(Type::Tensor(ty))) = types.get(output.index()) else { continue };
        let sizes_fit = ty.shape.iter().zip(shape).all(|(d, &n)| d.known().is_none_or(|d| d == n));
        let fits = ty.shape.rank() == shape.len() && sizes_fit;
        let scalar = shape.is_empty() && ty.shape.count() == Some(1);
        if !(fits || scalar) {
            let name = &view.function.values[output].name;
            let message = format!("`{name}` is declared {ty}, but has the shape {shape:?} for these inputs");
            return Err(Failure::new(codes::DECLARED_TYPE, message));
        }
    }
    Ok(())
}

/// Chooses the kernel. Shapes under `view` must be known; where a card finds no kernel for these arguments, the
/// reference rule computes the op.
pub(crate) fn choose(view: OpView<'_>, outputs: Vec<Concrete>, post: &[PostOp], threads: usize) -> Choice {
    match view.def.cpu {
        Cpu::Kernel(rule) => match (rule.plan)(&CpuCx { view, outputs, post, threads }) {
            Ok(kernel) => Choice::Kernel(kernel),
            Err(failure) => Choice::Rule(failure.message),
        },
        Cpu::Reference(why) | Cpu::Runtime(why) => Choice::Rule(why.to_owned()),
    }
}

/// What stands in one input slot of a kernel.
#[derive(Clone, Copy)]
pub(crate) enum Operand<'a> {
    /// A value.
    Value(ValueId),
    /// An immediate value or attribute.
    Constant(&'a Constant),
}

/// The input slots of an op, in the order that `CpuCx::slot` states.
pub(crate) fn operands<'a>(view: &OpView<'a>) -> Vec<Operand<'a>> {
    let op = view.op();
    let args = op.args.iter().flat_map(|(_, arg)| &arg.0).map(|binding| match binding {
        Binding::Value(v) => Operand::Value(*v),
        Binding::Constant(c) => Operand::Constant(c),
    });
    let attributes = op.attributes.iter().filter(|(n, _)| n != "name").map(|(_, c)| Operand::Constant(c));
    args.chain(attributes).collect()
}

/// A tensor at an address that kernels accept: itself, or a copy if it lies badly. `None` when memory runs out.
pub(crate) fn aligned(tensor: Tensor) -> Option<Tensor> {
    let bytes = tensor.bytes();
    if bytes.is_empty() || (bytes.as_ptr() as usize).is_multiple_of(crate::arena::ALIGN) {
        return Some(tensor);
    }
    let copy = Bytes::from_owner(Aligned::copy_of(bytes)?);
    Tensor::from_bytes(tensor.dtype(), tensor.shape(), copy).ok()
}

fn exhausted() -> Failure {
    Failure::new(codes::MEMORY, "memory ran out")
}

/// Runs a kernel on buffers of its own. `inputs` by slot.
pub(crate) fn run_once(
    kernel: &CpuKernel,
    inputs: &[Tensor],
    outputs: &[Concrete],
    pool: &Pool,
) -> Result<Vec<Tensor>, Failure> {
    if let Alias::View(slot) = kernel.alias
        && let ([out], Some(input)) = (outputs, inputs.get(slot))
    {
        return Ok(vec![retyped(input, out)?]);
    }
    let mut buffers = outputs
        .iter()
        .map(|o| Aligned::zeroed(o.bytes()).ok_or_else(exhausted))
        .collect::<Result<Vec<Aligned>, _>>()?;
    let mut scratch = Aligned::zeroed(kernel.scratch).ok_or_else(exhausted)?;
    if outputs.iter().any(|o| o.bytes() > 0) {
        let reads: Vec<Option<&[u8]>> = inputs.iter().map(|t| Some(t.bytes())).collect();
        let mut writes: Vec<&mut [u8]> = buffers.iter_mut().map(AsMut::as_mut).collect();
        let mut call = KernelCall { inputs: &reads, outputs: &mut writes, scratch: scratch.as_mut(), pool };
        (kernel.run)(&mut call)?;
    }
    let tensor = |(buffer, out): (Aligned, &Concrete)| {
        Tensor::from_bytes(out.dtype, &out.shape, Bytes::from_owner(buffer)).map_err(|_| wrong_size())
    };
    buffers.into_iter().zip(outputs).map(tensor).collect()
}

/// The same bytes under another type.
fn retyped(tensor: &Tensor, out: &Concrete) -> Result<Tensor, Failure> {
    Tensor::from_bytes(out.dtype, &out.shape, tensor.shared_bytes()).map_err(|_| wrong_size())
}

fn wrong_size() -> Failure {
    Failure::new(codes::INTERNAL, "a kernel made a result of the wrong size")
}

/// May results of this op be worked out beforehand: the same every time, no blocks, no states or lists?
pub(crate) fn is_pure(view: &OpView<'_>) -> bool {
    let op = view.op();
    let runtime = matches!(view.def.cpu, Cpu::Runtime(_));
    op.blocks.is_empty() && !runtime && !op.name.starts_with("random_") && &*op.name != "const"
}

/// Bytes of a tensor of this type, or the largest number if there is no counting them.
pub(crate) fn bytes_of(ty: &Concrete) -> usize {
    mil_base::tensor::count(&ty.shape).and_then(|n| ty.dtype.bytes_for(n)).unwrap_or(usize::MAX)
}
