//! Running a plan: a loop over its code. Nothing here allocates, except in steps computed by a reference rule and in
//! steps with more than [`MOST_OUTPUTS`] outputs.

use crate::arena::{Access, Arena};
use crate::codes;
use crate::error::RunError;
use crate::observe::{Observer, StepView};
use crate::plan::{Code, Compute, Input, Plan, PlannedStep, Source};
use crate::reference::{Value, run_rule};
use mil_base::Tensor;
use mil_ir::ValueId;
use mil_kernels::Pool;
use mil_ops::contract::{Failure, KernelCall, RefTensor};

/// Outputs (and scratch memory) whose slices fit on the stack.
const MOST_OUTPUTS: usize = 33;

/// The lists of slices that steps need, kept so that running does not allocate.
#[derive(Default)]
pub(crate) struct Slices {
    reads: Vec<&'static [u8]>,
    inputs: Vec<Option<&'static [u8]>>,
}

/// An emptied vector for other lifetimes; the standard library keeps the allocation.
fn recycle<A, B>(mut list: Vec<A>) -> Vec<B> {
    list.clear();
    list.into_iter().filter_map(|_| None).collect()
}

impl Plan {
    /// The bytes at a place.
    pub(crate) fn bytes<'a>(&'a self, arena: &'a Arena, source: Source) -> &'a [u8] {
        match source {
            Source::Arena(region) => arena.read(region),
            Source::Constant(number) => self.constants[number].bytes(),
            Source::Empty => &[],
        }
    }

    /// Runs the code. Inputs and states are in the arena; outputs will be.
    pub(crate) fn execute<O: Observer>(
        &self,
        arena: &mut Arena,
        slices: &mut Slices,
        pool: &Pool,
        observer: &mut O,
    ) -> Result<(), RunError> {
        let mut at = 0;
        while let Some(code) = self.code.get(at) {
            at += 1;
            match code {
                Code::Step(number) => {
                    let step = &self.steps[*number];
                    observer.before(&self.view(step), &|v| self.operand(arena, step, v));
                    let done = self.step(step, arena, slices, pool);
                    done.map_err(|f| self.failed(step, f))?;
                    observer.after(&self.view(step), &|| self.results(arena, step));
                    bury(arena, &step.dead);
                }
                Code::Copy(copy) => {
                    let from = match copy.from {
                        Source::Constant(number) => Some(self.constants[number].bytes()),
                        _ => None,
                    };
                    copy_bytes(arena, slices, &copy.access, from)?;
                    bury(arena, &copy.dead);
                }
                Code::JumpUnless { test, to } => {
                    if self.bytes(arena, *test).first().is_none_or(|&b| b == 0) {
                        at = *to;
                    }
                }
                Code::Jump { to } => at = *to,
                Code::Nothing => {}
            }
        }
        Ok(())
    }

    fn step(
        &self,
        step: &PlannedStep,
        arena: &mut Arena,
        slices: &mut Slices,
        pool: &Pool,
    ) -> Result<(), Failure> {
        let kernel = match &step.how {
            Compute::Nothing => return Ok(()),
            Compute::Rule(_) => return self.by_rule(step, arena),
            Compute::Kernel(kernel) => kernel,
        };
        let mut reads: Vec<&[u8]> = std::mem::take(&mut slices.reads);
        let mut inputs: Vec<Option<&[u8]>> = std::mem::take(&mut slices.inputs);
        let mut on_stack: [&mut [u8]; MOST_OUTPUTS] = std::array::from_fn(|_| Default::default());
        let mut on_heap: Vec<&mut [u8]> = Vec::new();
        let count = step.access.writes().len();
        let writes = match on_stack.get_mut(..count) {
            Some(writes) => writes,
            None => {
                on_heap.resize_with(count, Default::default);
                &mut on_heap
            }
        };
        if !arena.split(&step.access, &mut reads, writes) {
            return Err(Failure::new(codes::INTERNAL, "the arena is too small"));
        }
        inputs.extend(step.inputs.iter().map(|input| match *input {
            Input::Read(number) => Some(reads[number]),
            Input::Constant(number) => Some(self.constants[number].bytes()),
            Input::Over => None,
            Input::Empty => Some(&[][..]),
        }));
        let (outputs, scratch) = writes.split_at_mut(count - usize::from(step.scratch));
        let scratch: &mut [u8] = match scratch.first_mut() {
            Some(scratch) => scratch,
            None => &mut [],
        };
        let result = (kernel.run)(&mut KernelCall { inputs: &inputs, outputs, scratch, pool });
        slices.inputs = recycle(inputs);
        slices.reads = recycle(reads);
        result
    }

    /// Computes a step by its card's definition.
    fn by_rule(&self, step: &PlannedStep, arena: &mut Arena) -> Result<(), Failure> {
        let view = step.ops.first().and_then(|&op| self.types.view(&self.checked, self.function, op));
        let view = view.ok_or_else(|| Failure::new(codes::INTERNAL, "an op has no card"))?;
        let operand = |v: ValueId| {
            let tensor = match self.types.known.get(v.index())? {
                Some(known) => known.clone(),
                None => self.operand(arena, step, v)?,
            };
            Some(Value::new(RefTensor::of(&tensor)))
        };
        let results = run_rule(&view, &operand)?;
        for ((result, ty), &region) in results.iter().zip(&step.output_types).zip(step.access.writes()) {
            let tensor =
                result.to_tensor().map_err(|e| Failure::new(codes::TENSOR, format!("a result {e}")))?;
            if tensor.dtype() != ty.dtype || tensor.shape() != ty.shape {
                let message = format!("`{}` gave {}, not what was planned", view.def.name, tensor.ty());
                return Err(Failure::new(codes::INTERNAL, message));
            }
            arena.write(region).copy_from_slice(tensor.bytes());
        }
        Ok(())
    }

    /// A copy of a value that a step reads.
    fn operand(&self, arena: &Arena, step: &PlannedStep, value: ValueId) -> Option<Tensor> {
        let (_, source) = step.operands.iter().find(|(v, _)| *v == value)?;
        let ty = self.types.types.get(value.index())?.as_ref()?;
        let ty = crate::single::concrete(ty)?;
        let bytes = bytes::Bytes::copy_from_slice(self.bytes(arena, *source));
        Tensor::from_bytes(ty.dtype, &ty.shape, bytes).ok()
    }

    /// Copies of what a step made.
    fn results(&self, arena: &Arena, step: &PlannedStep) -> Vec<Tensor> {
        let each = step.output_types.iter().zip(step.access.writes());
        each.filter_map(|(ty, &region)| {
            let bytes = bytes::Bytes::copy_from_slice(arena.read(region));
            Tensor::from_bytes(ty.dtype, &ty.shape, bytes).ok()
        })
        .collect()
    }

    fn view<'a>(&'a self, step: &'a PlannedStep) -> StepView<'a> {
        StepView {
            function: self.function,
            ops: &step.ops,
            types: &self.types.types,
            known: &self.types.known,
        }
    }

    fn failed(&self, step: &PlannedStep, failure: Failure) -> RunError {
        let f = &self.checked.program().functions[self.function];
        let place = step.ops.first().map(|&op| f.place(op)).unwrap_or_default();
        RunError::op(failure, place)
    }
}

fn copy_bytes(
    arena: &mut Arena,
    slices: &mut Slices,
    access: &Access,
    from: Option<&[u8]>,
) -> Result<(), RunError> {
    let mut reads: Vec<&[u8]> = std::mem::take(&mut slices.reads);
    let mut writes: [&mut [u8]; 1] = [&mut []];
    let fits = arena.split(access, &mut reads, &mut writes);
    let source = from.or(reads.first().copied()).filter(|s| s.len() == writes[0].len());
    let done = match source {
        Some(source) if fits => {
            writes[0].copy_from_slice(source);
            Ok(())
        }
        _ if fits && writes[0].is_empty() => Ok(()),
        _ => Err(RunError::internal("a copy does not fit")),
    };
    slices.reads = recycle(reads);
    done
}

/// In debug builds, what is dead is made unusable: a step that reads it anyway gives nonsense in every test.
fn bury(arena: &mut Arena, dead: &[crate::arena::Region]) {
    if cfg!(debug_assertions) {
        dead.iter().for_each(|&region| arena.write(region).fill(0xff));
    }
}
