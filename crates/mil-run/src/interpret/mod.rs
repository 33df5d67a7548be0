//! Running a function op by op with values in a table: control flow, lists, states and the freeing of values. What an
//! op computes is the business of an [`Engine`]: f64 for the reference, kernels for shapes only known from data.

mod lists;
mod machine;
mod order;

pub(crate) use lists::List;
pub(crate) use machine::{Machine, States};
pub(crate) use order::Order;

use mil_base::{DType, Tensor};
use mil_ir::OpId;
use mil_ops::contract::Failure;

/// A dense value of some engine: cheap to clone.
pub(crate) trait Dense: Clone {
    /// The exact value of a tensor.
    fn of(tensor: &Tensor) -> Self;
    /// In the declared dtype.
    fn to_tensor(&self) -> Result<Tensor, Failure>;
    /// Elements as integers.
    fn ints(&self) -> Vec<i64>;
    /// Element type.
    fn dtype(&self) -> DType;
    /// Sizes.
    fn shape(&self) -> &[usize];
    /// The items along a new first axis; they have one dtype and shape, and there is at least one.
    fn stack(items: &[Self]) -> Option<Self>;
    /// The items along the first axis.
    fn unstack(&self) -> Option<Vec<Self>>;
}

/// A value in the table.
#[derive(Clone, Debug)]
pub(crate) enum Held<T> {
    /// A tensor.
    Dense(T),
    /// A list.
    List(List<T>),
    /// Which state, by number.
    State(usize),
}

/// Executes single ops that neither hold blocks nor touch lists or states.
pub(crate) trait Engine {
    /// The values it computes with.
    type Value: Dense;

    /// The outputs of `op`. `values` gives the operand for a value id, known constants included.
    fn compute(&mut self, op: OpId, values: &Table<Self::Value>) -> Result<Vec<Self::Value>, Failure>;
}

/// The values alive, by value index.
pub(crate) struct Table<T> {
    slots: Vec<Option<Held<T>>>,
}

impl<T> Table<T> {
    fn new(len: usize) -> Self {
        Table { slots: (0..len).map(|_| None).collect() }
    }

    /// A value that is alive.
    pub(crate) fn get(&self, value: mil_ir::ValueId) -> Option<&Held<T>> {
        self.slots.get(value.index())?.as_ref()
    }

    /// A tensor that is alive.
    pub(crate) fn dense(&self, value: mil_ir::ValueId) -> Option<&T> {
        match self.get(value)? {
            Held::Dense(t) => Some(t),
            _ => None,
        }
    }

    fn set(&mut self, value: mil_ir::ValueId, held: Held<T>) {
        if let Some(slot) = self.slots.get_mut(value.index()) {
            *slot = Some(held);
        }
    }

    fn free(&mut self, value: mil_ir::ValueId) {
        if let Some(slot) = self.slots.get_mut(value.index()) {
            *slot = None;
        }
    }
}
