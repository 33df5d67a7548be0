//! Looking over a runtime's shoulder: what `verify` and `bench --by-op` build on.

use mil_base::{Tensor, Type};
use mil_ir::{FunctionId, OpId, ValueId};
use std::collections::BTreeMap;
use std::time::Duration;

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

/// Adds up the time of every step. The clock is given, since only fronts look at clocks.
pub struct StepTimer<C> {
    clock: C,
    begun: Duration,
    times: BTreeMap<Vec<OpId>, StepTime>,
}

/// The time of one step.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct StepTime {
    /// All runs together.
    pub total: Duration,
    /// How often it ran.
    pub count: u64,
}

impl<C: FnMut() -> Duration + Send> StepTimer<C> {
    /// A timer by a clock that gives the time since any fixed moment.
    pub fn new(clock: C) -> StepTimer<C> {
        StepTimer { clock, begun: Duration::ZERO, times: BTreeMap::new() }
    }

    /// The time of each step, by its ops, in the order of the ops' numbers.
    pub fn times(&self) -> &BTreeMap<Vec<OpId>, StepTime> {
        &self.times
    }
}

impl<C: FnMut() -> Duration + Send> Observer for StepTimer<C> {
    fn before(&mut self, _: &StepView<'_>, _: &dyn Fn(ValueId) -> Option<Tensor>) {
        self.begun = (self.clock)();
    }

    fn after(&mut self, step: &StepView<'_>, _: &dyn Fn() -> Vec<Tensor>) {
        let took = (self.clock)().saturating_sub(self.begun);
        if let Some(time) = self.times.get_mut(step.ops) {
            time.total += took;
            time.count += 1;
        } else {
            self.times.insert(step.ops.to_vec(), StepTime { total: took, count: 1 });
        }
    }
}
