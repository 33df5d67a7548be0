//! The reference runtime: every op by its card's definition, in f64. Slow, plain, and what all others are held to.

mod rule;

pub(crate) use rule::{constant, run_rule};

use crate::codes;
use crate::error::{MemoryNeed, RunError};
use crate::interpret::{Dense, Engine, Machine, Order, States, Table};
use crate::options::Options;
use crate::placement::Placement;
use crate::ports;
use crate::runtime::{Loaded, Named, Runtime, Session};
use crate::single;
use mil_base::{DType, Name, Tensor};
use mil_check::{Checked, Specialised, specialise};
use mil_ir::{FunctionId, OpId};
use mil_ops::contract::{Failure, RefData, RefTensor};
use std::sync::Arc;

/// The runtime `reference`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Runtime for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn load(&self, checked: Arc<Checked>, options: &Options) -> Result<Arc<dyn Loaded>, RunError> {
        Ok(Arc::new(LoadedReference { checked, options: options.clone() }))
    }
}

struct LoadedReference {
    checked: Arc<Checked>,
    options: Options,
}

impl Loaded for LoadedReference {
    fn runtime(&self) -> &'static str {
        "reference"
    }

    fn placement(&self) -> Placement {
        Placement::HOST
    }

    fn checked(&self) -> &Arc<Checked> {
        &self.checked
    }

    fn session(&self, function: Option<&str>) -> Result<Box<dyn Session>, RunError> {
        let function = ports::find_function(&self.checked, function)?;
        let f = &self.checked.program().functions[function];
        let mut states = Vec::new();
        for (_, name, ty) in ports::states(f) {
            states.push(Value::of(&ports::zero_state(name, ty)?));
        }
        Ok(Box::new(ReferenceSession {
            checked: self.checked.clone(),
            limit: self.options.memory_limit,
            function,
            states,
            bound: None,
        }))
    }
}

/// A tensor of the reference runtime.
pub(crate) type Value = Arc<RefTensor>;

/// A function for one set of input shapes.
struct Bound {
    shapes: Vec<(Name, Vec<usize>)>,
    types: Specialised,
    order: Order,
}

struct ReferenceSession {
    checked: Arc<Checked>,
    limit: Option<usize>,
    function: FunctionId,
    states: States<Value>,
    bound: Option<Bound>,
}

impl ReferenceSession {
    fn bind(&mut self, shapes: Vec<(Name, Vec<usize>)>) -> Result<(), RunError> {
        if self.bound.as_ref().is_some_and(|b| b.shapes == shapes) {
            return Ok(());
        }
        let types = specialise(&self.checked, self.function, &shapes).map_err(RunError::Refused)?;
        let function = &self.checked.program().functions[self.function];
        let order = Order::new(function, &types.known);
        if let Some(limit) = self.limit {
            let need =
                MemoryNeed { arena: estimate(function, &types, &order), limit, ..MemoryNeed::default() };
            if need.total() > limit {
                return Err(RunError::Memory(need));
            }
        }
        self.bound = Some(Bound { shapes, types, order });
        Ok(())
    }
}

impl Session for ReferenceSession {
    fn run(&mut self, inputs: &[Named]) -> Result<Vec<Named>, RunError> {
        let checked = self.checked.clone();
        let given = ports::match_inputs(&checked, self.function, inputs)?;
        let function = &checked.program().functions[self.function];
        let name = |v: mil_ir::ValueId| function.values[v].name.clone();
        self.bind(given.iter().map(|(v, t)| (name(*v), t.shape().to_vec())).collect())?;
        let Some(bound) = &self.bound else { return Err(RunError::internal("nothing is bound")) };
        let inputs = given.iter().map(|(v, t)| (*v, Value::of(t))).collect();
        let mut machine = Machine {
            program: checked.program(),
            function,
            order: &bound.order,
            known: &bound.types.known,
            engine: Rules { checked: &checked, types: &bound.types, function: self.function },
        };
        let results = machine.run(inputs, &mut self.states)?;
        let tensors = results
            .iter()
            .map(|t| t.to_tensor().map_err(|e| RunError::internal(format!("an output {e}"))))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(ports::named_outputs(checked.program(), function, tensors))
    }

    fn states(&self) -> Vec<Named> {
        let function = &self.checked.program().functions[self.function];
        let each = ports::states(function).zip(&self.states);
        each.filter_map(|((_, name, _), t)| Some((name.clone(), t.to_tensor().ok()?))).collect()
    }

    fn set_state(&mut self, name: &str, value: &Tensor) -> Result<(), RunError> {
        let function = &self.checked.program().functions[self.function];
        let index = ports::check_state(function, name, value)?;
        self.states[index] = Value::of(value);
        Ok(())
    }
}

/// Ops by their cards' definitions.
struct Rules<'a> {
    checked: &'a Checked,
    types: &'a Specialised,
    function: FunctionId,
}

impl Engine for Rules<'_> {
    type Value = Value;

    fn compute(&mut self, op: OpId, values: &Table<Value>) -> Result<Vec<Value>, Failure> {
        let view = self.types.view(self.checked, self.function, op);
        let view = view.ok_or_else(|| Failure::new(codes::NO_CARD, "the op has no card"))?;
        let outs = run_rule(&view, &|v| values.dense(v).cloned())?;
        single::as_declared(&view, &self.types.types, outs.iter().map(|t| t.shape.as_slice()))?;
        Ok(outs.into_iter().map(Arc::new).collect())
    }
}

impl Dense for Value {
    fn of(tensor: &Tensor) -> Self {
        Arc::new(RefTensor::of(tensor))
    }

    fn to_tensor(&self) -> Result<Tensor, Failure> {
        RefTensor::to_tensor(self).map_err(|e| Failure::new(codes::TENSOR, format!("a value {e}")))
    }

    fn ints(&self) -> Vec<i64> {
        self.i64s()
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn stack(items: &[Self]) -> Option<Self> {
        let first = items.first()?;
        let mut all = RefTensor::clone(first);
        all.shape.insert(0, items.len());
        for item in &items[1..] {
            if item.shape != first.shape {
                return None;
            }
            match (&mut all.data, &item.data) {
                (RefData::Float(to), RefData::Float(from)) => to.extend(from),
                (RefData::Int(to), RefData::Int(from)) => to.extend(from),
                (RefData::Bool(to), RefData::Bool(from)) => to.extend(from),
                (RefData::Text(to), RefData::Text(from)) => to.extend_from_slice(from),
                _ => return None,
            }
        }
        Some(Arc::new(all))
    }

    fn unstack(&self) -> Option<Vec<Self>> {
        let (&count, inner) = self.shape.split_first()?;
        let each = inner.iter().product::<usize>();
        let item = |i: usize| {
            let places: Vec<usize> = (i * each..(i + 1) * each).collect();
            Arc::new(self.select(inner, &places))
        };
        Some((0..count).map(item).collect())
    }
}

/// Bytes of f64 values alive at once, as far as shapes are known; blocks of an op count as if all ran at once.
fn estimate(function: &mil_ir::Function, types: &Specialised, order: &Order) -> usize {
    let size = |v: mil_ir::ValueId| {
        let ty = types.types.get(v.index()).and_then(Option::as_ref).and_then(mil_base::Type::as_tensor);
        ty.and_then(|t| t.shape.count()).map_or(0, |n| n.saturating_mul(8))
    };
    let mut most = 0usize;
    for ops in &order.blocks {
        let (mut now, mut block_most) = (0usize, 0usize);
        for &op in ops {
            let made = function.ops[op].outputs.iter().fold(0usize, |n, &v| n.saturating_add(size(v)));
            now = now.saturating_add(made);
            block_most = block_most.max(now);
            for &v in &order.dies[op.index()] {
                now = now.saturating_sub(size(v));
            }
        }
        most = most.saturating_add(block_most);
    }
    most
}
