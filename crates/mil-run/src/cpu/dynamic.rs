//! Functions with sizes that are known only from data: each op is inferred again with the sizes and small values at
//! hand, and gets the kernel for them.

use crate::codes;
use crate::error::{MemoryNeed, RunError};
use crate::interpret::{Dense, Engine, Machine, Order, Table};
use crate::observe::{Observer, StepView};
use crate::options::Options;
use crate::plan;
use crate::reference::{Value, run_rule};
use crate::single::{self, Choice, Operand};
use bytes::Bytes;
use mil_base::{DType, Shape, Tensor, Type};
use mil_check::{Checked, Specialised, infer_op};
use mil_ir::{FunctionId, OpId, ValueId};
use mil_kernels::Pool;
use mil_ops::contract::{Concrete, CpuKernel, Failure, RefTensor};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A function that is run op by op.
pub struct Dynamic {
    checked: Arc<Checked>,
    function: FunctionId,
    types: Specialised,
    order: Order,
    memory_limit: Option<usize>,
    /// Kernels by op; each op keeps a few, for what it met last.
    kernels: Mutex<HashMap<OpId, Kept>>,
}

/// What a kernel was chosen for: types of the inputs, and the contents of those that the choice may depend on.
type Met = Vec<(DType, Vec<usize>, Option<Tensor>)>;

/// The kernels of an op, the oldest first.
type Kept = Vec<(Met, Arc<CpuKernel>)>;

/// Most kernels kept for one op.
const KERNELS_KEPT: usize = 4;
/// Most elements of an integer or bool value that counts as known while running.
const SMALL: usize = 1024;

impl Dynamic {
    pub(crate) fn new(
        checked: Arc<Checked>,
        function: FunctionId,
        mut types: Specialised,
        options: &Options,
        pool: &Pool,
    ) -> Result<Dynamic, RunError> {
        let f = &checked.program().functions[function];
        let wanted = Order::new(f, &types.known);
        let mut live = vec![false; f.ops.len()];
        wanted.blocks.iter().flatten().for_each(|op| live[op.index()] = true);
        let limit = options.memory_limit;
        plan::fold(&checked, function, &mut types, &|op| live[op.index()], limit, pool)?;
        let order = Order::new(f, &types.known);
        let kernels = Mutex::new(HashMap::new());
        Ok(Dynamic { checked, function, types, order, memory_limit: limit, kernels })
    }

    /// Runs the function once.
    pub(crate) fn run<O: Observer>(
        &self,
        inputs: Vec<(ValueId, Tensor)>,
        states: &mut Vec<Tensor>,
        pool: &Pool,
        observer: &mut O,
    ) -> Result<Vec<Tensor>, RunError> {
        let function = &self.checked.program().functions[self.function];
        let engine = Kernels {
            cx: self,
            types: self.types.types.clone(),
            known: self.types.known.clone(),
            pool,
            observer,
        };
        let inputs = inputs.into_iter().map(|(v, t)| (v, Tensor::of(&t))).collect();
        let mut machine = Machine {
            program: self.checked.program(),
            function,
            order: &self.order,
            known: &self.types.known,
            engine,
        };
        machine.run(inputs, states)
    }
}

/// Ops by kernels for the sizes they meet.
struct Kernels<'a, O> {
    cx: &'a Dynamic,
    /// The function's types, with the actual ones of the current op's inputs.
    types: Vec<Option<Type>>,
    /// Known values, with the actual small ones of the current op's inputs.
    known: Vec<Option<Tensor>>,
    pool: &'a Pool,
    observer: &'a mut O,
}

impl<O: Observer> Engine for Kernels<'_, O> {
    type Value = Tensor;

    fn compute(&mut self, op: OpId, values: &Table<Tensor>) -> Result<Vec<Tensor>, Failure> {
        let cx = self.cx;
        let no_card = || Failure::new(codes::INTERNAL, "an op has no card");
        let base = cx.types.view(&cx.checked, cx.function, op).ok_or_else(no_card)?;
        for operand in single::operands(&base) {
            let Operand::Value(v) = operand else { continue };
            let Some(tensor) = values.dense(v) else { continue };
            if matches!(self.types[v.index()], Some(Type::List(..))) {
                // A constant list of labels is kept as a vector, but its type stays that of a list.
                continue;
            }
            self.types[v.index()] = Some(Type::tensor(tensor.dtype(), Shape::known(tensor.shape())));
            let fixed = cx.types.known[v.index()].is_some();
            let small = tensor.count() <= SMALL && !tensor.dtype().is_float();
            if !fixed {
                self.known[v.index()] = small.then(|| tensor.clone());
            }
        }
        let view = mil_ops::OpView { types: &self.types, known: &self.known, ..base };
        let step = StepView { function: cx.function, ops: &[op], types: &self.types, known: &cx.types.known };
        self.observer.before(&step, &|v| values.dense(v).cloned());
        let outputs = output_types(&view)?;
        let results = match outputs {
            Some(outputs) => self.by_kernel(&view, op, outputs, values)?,
            None => by_rule(&view, values)?,
        };
        single::as_declared(&view, &cx.types.types, results.iter().map(Tensor::shape))?;
        let view_after =
            StepView { function: cx.function, ops: &[op], types: &self.types, known: &cx.types.known };
        self.observer.after(&view_after, &|| results.clone());
        Ok(results)
    }
}

impl<O: Observer> Kernels<'_, O> {
    fn by_kernel(
        &self,
        view: &mil_ops::OpView<'_>,
        op: OpId,
        outputs: Vec<Concrete>,
        values: &Table<Tensor>,
    ) -> Result<Vec<Tensor>, Failure> {
        let bytes = outputs.iter().fold(0usize, |n, o| n.saturating_add(single::bytes_of(o)));
        if let Some(limit) = self.cx.memory_limit.filter(|&limit| bytes > limit) {
            let need = RunError::Memory(MemoryNeed { arena: bytes, limit, ..Default::default() });
            return Err(Failure::new(codes::MEMORY, need.to_string()));
        }
        let mut inputs = Vec::new();
        for operand in single::operands(view) {
            let tensor = match operand {
                Operand::Value(v) => values.dense(v).cloned(),
                Operand::Constant(c) => view.program.tensor(c),
            };
            // Lists of strings have no bytes; nothing reads them here.
            let tensor = tensor.or_else(|| Tensor::zeros(DType::Bool, &[0]).ok());
            inputs.push(
                tensor
                    .and_then(single::aligned)
                    .ok_or_else(|| Failure::new(codes::MEMORY, "memory ran out"))?,
            );
        }
        let met: Met = single::operands(view)
            .into_iter()
            .zip(&inputs)
            .map(|(operand, t)| {
                let known = match operand {
                    Operand::Value(v) if self.cx.types.known[v.index()].is_none() => {
                        self.known[v.index()].clone()
                    }
                    _ => None,
                };
                (t.dtype(), t.shape().to_vec(), known)
            })
            .collect();
        let kept = {
            let kernels = self.cx.kernels.lock().unwrap_or_else(PoisonError::into_inner);
            kernels.get(&op).and_then(|all| all.iter().find(|(m, _)| *m == met)).map(|(_, k)| k.clone())
        };
        let kernel = match kept {
            Some(kernel) => kernel,
            None => match single::choose(*view, outputs.clone(), &[], self.pool.threads()) {
                Choice::Rule(_) => return by_rule(view, values),
                Choice::Kernel(kernel) => {
                    let kernel = Arc::new(kernel);
                    let mut kernels = self.cx.kernels.lock().unwrap_or_else(PoisonError::into_inner);
                    let all = kernels.entry(op).or_default();
                    if all.len() >= KERNELS_KEPT {
                        all.remove(0);
                    }
                    all.push((met, kernel.clone()));
                    kernel
                }
            },
        };
        single::run_once(&kernel, &inputs, &outputs, self.pool)
    }
}

/// The types of the outputs for the actual inputs, if all sizes are known before running.
fn output_types(view: &mil_ops::OpView<'_>) -> Result<Option<Vec<Concrete>>, Failure> {
    let types = infer_op(*view).map_err(|issues| match issues.into_iter().next() {
        Some(issue) => Failure::new(issue.code, issue.message),
        None => Failure::new(codes::INTERNAL, "an op fits no more"),
    })?;
    if types.len() != view.op().outputs.len() {
        return Ok(None);
    }
    Ok(types.iter().map(single::concrete).collect())
}

/// By the card's definition.
fn by_rule(view: &mil_ops::OpView<'_>, values: &Table<Tensor>) -> Result<Vec<Tensor>, Failure> {
    let operand = |v: ValueId| values.dense(v).map(|t| Value::new(RefTensor::of(t)));
    let results = run_rule(view, &operand)?;
    let tensor =
        |t: RefTensor| t.to_tensor().map_err(|e| Failure::new(codes::TENSOR, format!("a result {e}")));
    results.into_iter().map(tensor).collect()
}

impl Dense for Tensor {
    fn of(tensor: &Tensor) -> Self {
        single::aligned(tensor.clone()).unwrap_or_else(|| tensor.clone())
    }

    fn to_tensor(&self) -> Result<Tensor, Failure> {
        Ok(self.clone())
    }

    fn ints(&self) -> Vec<i64> {
        self.to_i64()
    }

    fn dtype(&self) -> DType {
        Tensor::dtype(self)
    }

    fn shape(&self) -> &[usize] {
        Tensor::shape(self)
    }

    fn stack(items: &[Self]) -> Option<Self> {
        let first = items.first()?;
        if first.dtype().is_packed() || items.iter().any(|t| t.ty() != first.ty()) {
            return None;
        }
        let shape: Vec<usize> = std::iter::once(items.len()).chain(first.shape().iter().copied()).collect();
        let bytes: Vec<u8> = items.iter().flat_map(|t| t.bytes().iter().copied()).collect();
        Tensor::from_bytes(Tensor::dtype(first), &shape, Bytes::from(bytes)).ok()
    }

    fn unstack(&self) -> Option<Vec<Self>> {
        let (&count, inner) = Tensor::shape(self).split_first()?;
        let each = Tensor::dtype(self).size()?.checked_mul(mil_base::tensor::count(inner)?)?;
        let all = self.shared_bytes();
        let item = |i: usize| {
            Tensor::from_bytes(Tensor::dtype(self), inner, all.slice(i * each..(i + 1) * each)).ok()
        };
        (0..count).map(item).collect()
    }
}
