//! A session of the cpu runtime: one arena, and the states in it.

use super::dynamic::Dynamic;
use super::exec::Slices;
use super::{Bound, LoadedCpu, Shapes};
use crate::arena::Arena;
use crate::error::RunError;
use crate::observe::{Nobody, Observer};
use crate::plan::{Plan, Port};
use crate::ports;
use crate::runtime::{Named, Session};
use bytes::Bytes;
use mil_base::Tensor;
use mil_ir::{Function, FunctionId, ValueId};
use std::collections::HashMap;
use std::sync::Arc;

/// One user of a function on the cpu runtime.
pub struct CpuSession {
    loaded: LoadedCpu,
    function: FunctionId,
    /// The states while no plan has them in its arena.
    states: Vec<Tensor>,
    bound: Option<(Shapes, Bound)>,
    arena: Option<Arena>,
    slices: Slices,
}

impl CpuSession {
    pub(super) fn new(loaded: LoadedCpu, function: FunctionId) -> Result<CpuSession, RunError> {
        let f = &loaded.checked().program().functions[function];
        let states = ports::states(f).map(|(_, name, ty)| ports::zero_state(name, ty));
        let states = states.collect::<Result<Vec<_>, _>>()?;
        Ok(CpuSession { loaded, function, states, bound: None, arena: None, slices: Slices::default() })
    }

    fn f(&self) -> &Function {
        &self.loaded.checked().program().functions[self.function]
    }

    /// As [`Session::run`], telling `observer` about every step.
    pub fn run_observed<O: Observer>(
        &mut self,
        inputs: &[Named],
        observer: &mut O,
    ) -> Result<Vec<Named>, RunError> {
        let given = ports::match_inputs(self.loaded.checked(), self.function, inputs)?;
        self.bind(&given)?;
        match &self.bound {
            Some((_, Bound::Static(plan))) => {
                let plan = plan.clone();
                self.run_plan(&plan, given, observer)
            }
            Some((_, Bound::Dynamic(dynamic, _))) => {
                let dynamic = dynamic.clone();
                self.run_dynamic(&dynamic, given, observer)
            }
            None => Err(RunError::internal("nothing is bound")),
        }
    }

    /// Binds to the shapes of these inputs. The states move to the new plan's arena.
    fn bind(&mut self, given: &[(ValueId, Tensor)]) -> Result<(), RunError> {
        let same = self.bound.as_ref().is_some_and(|(shapes, _)| {
            shapes.len() == given.len() && shapes.iter().zip(given).all(|((_, s), (_, t))| s == t.shape())
        });
        if same {
            return Ok(());
        }
        let f = self.f();
        let shapes: Shapes =
            given.iter().map(|(v, t)| (f.values[*v].name.clone(), t.shape().to_vec())).collect();
        let bound = self.loaded.bind(self.function, &shapes)?;
        self.states = self.take_states();
        self.arena = None;
        self.bound = None;
        if let Bound::Static(plan) = &bound {
            let bytes = plan.memory().arena;
            let mut arena = Arena::new(bytes).ok_or_else(|| {
                RunError::Memory(crate::error::MemoryNeed { arena: bytes, ..Default::default() })
            })?;
            for (port, state) in plan.states.iter().zip(&self.states) {
                fill(&mut arena, port, state)?;
            }
            self.arena = Some(arena);
        }
        self.bound = Some((shapes, bound));
        Ok(())
    }

    /// The states, wherever they are.
    fn take_states(&self) -> Vec<Tensor> {
        let (Some((_, Bound::Static(plan))), Some(arena)) = (&self.bound, &self.arena) else {
            return self.states.clone();
        };
        plan.states
            .iter()
            .zip(&self.states)
            .map(|(port, old)| take(plan, arena, port).unwrap_or(old.clone()))
            .collect()
    }

    fn run_plan<O: Observer>(
        &mut self,
        plan: &Plan,
        given: Vec<(ValueId, Tensor)>,
        observer: &mut O,
    ) -> Result<Vec<Named>, RunError> {
        let arena = self.arena.as_mut().ok_or_else(|| RunError::internal("there is no arena"))?;
        for (port, (_, tensor)) in plan.inputs.iter().zip(&given) {
            fill(arena, port, tensor)?;
        }
        let (slices, pool) = (&mut self.slices, self.loaded.pool());
        pool.enter(|| plan.execute(arena, slices, pool, observer))?;
        let arena: &Arena = arena;
        let mut made = HashMap::with_capacity(plan.outputs.len());
        for port in &plan.outputs {
            let tensor = take(plan, arena, port);
            made.insert(
                port.value,
                tensor.ok_or_else(|| RunError::internal("an output has the wrong size"))?,
            );
        }
        plan.run_host_ops(&mut made)?;
        let function = self.f();
        let results = function.outputs().iter().map(|v| made.get(v).cloned());
        let results = results.collect::<Option<Vec<_>>>();
        let results = results.ok_or_else(|| RunError::internal("an output was not made"))?;
        Ok(ports::named_outputs(self.loaded.checked().program(), function, results))
    }

    fn run_dynamic<O: Observer>(
        &mut self,
        dynamic: &Dynamic,
        given: Vec<(ValueId, Tensor)>,
        observer: &mut O,
    ) -> Result<Vec<Named>, RunError> {
        let pool = self.loaded.pool();
        let results = dynamic.run(given, &mut self.states, pool, observer)?;
        Ok(ports::named_outputs(self.loaded.checked().program(), self.f(), results))
    }

    /// Runs the plan again on the inputs it was given last, leaving the outputs in the arena: what a benchmark of the
    /// runtime alone measures, and what allocates nothing.
    pub fn rerun(&mut self) -> Result<(), RunError> {
        let (Some((_, Bound::Static(plan))), Some(arena)) = (&self.bound, &mut self.arena) else {
            return Err(RunError::internal("rerun needs a planned run before it"));
        };
        let (slices, pool) = (&mut self.slices, self.loaded.pool());
        pool.enter(|| plan.execute(arena, slices, pool, &mut Nobody))
    }

    /// The plan of the latest run, unless sizes depend on data.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        match &self.bound {
            Some((_, Bound::Static(plan))) => Some(plan),
            _ => None,
        }
    }
}

impl Session for CpuSession {
    fn run(&mut self, inputs: &[Named]) -> Result<Vec<Named>, RunError> {
        self.run_observed(inputs, &mut Nobody)
    }

    fn states(&self) -> Vec<Named> {
        let names = ports::states(self.f()).map(|(_, name, _)| name.clone());
        names.zip(self.take_states()).collect()
    }

    fn set_state(&mut self, name: &str, value: &Tensor) -> Result<(), RunError> {
        let index = ports::check_state(self.f(), name, value)?;
        self.states[index] = value.clone();
        if let (Some((_, Bound::Static(plan))), Some(arena)) = (&self.bound, &mut self.arena) {
            fill(arena, &plan.states[index], value)?;
        }
        Ok(())
    }
}

/// Copies a tensor to its place.
fn fill(arena: &mut Arena, port: &Port, tensor: &Tensor) -> Result<(), RunError> {
    let crate::plan::Source::Arena(region) = port.place else { return Ok(()) };
    let to = arena.write(region);
    if to.len() != tensor.bytes().len() {
        return Err(RunError::internal(format!("`{}` has the wrong size", port.name)));
    }
    to.copy_from_slice(tensor.bytes());
    Ok(())
}

/// Copies a tensor from its place.
fn take(plan: &Plan, arena: &Arena, port: &Port) -> Option<Tensor> {
    if let crate::plan::Source::Constant(number) = port.place {
        return Some(plan.constants[number].clone());
    }
    let bytes = Bytes::copy_from_slice(plan.bytes(arena, port.place));
    Tensor::from_bytes(port.ty.dtype, &port.ty.shape, bytes).ok()
}
