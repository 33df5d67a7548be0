//! Looking over a runtime's shoulder: what `verify` and `bench --by-op` build on.

use mil_base::{Tensor, Type};
use mil_ir::{FunctionId, OpId, ValueId};

/// A step that is about to run or has run: one op, or several fused.
pub struct StepView<'a> {
    /// The function.
    pub function: FunctionId,
    /// The ops, in order; the outputs are those of the last.
    pub ops: &'a [OpId],
    /// Types by value index, as the runtime has them.
    pub types: &'a [Option<Type>],
    /// Contents by value index, of values known beforehand.
    pub known: &'a [Option<Tensor>],
}

/// Is told about every step.
pub trait Observer: Send {
    /// Before a step. `operand` copies a value that the step reads and that is not known beforehand.
    fn before(&mut self, _step: &StepView<'_>, _operand: &dyn Fn(ValueId) -> Option<Tensor>) {}

    /// After it. `outputs` copies what the last op made.
    fn after(&mut self, _step: &StepView<'_>, _outputs: &dyn Fn() -> Vec<Tensor>) {}
}

/// Observes nothing, at no cost.
pub(crate) struct Nobody;

impl Observer for Nobody {}
