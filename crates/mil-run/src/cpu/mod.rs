//! The cpu runtime: planned, threaded, vectorised. fp16 ops compute in fp32 and round once, fp32 ops compute in fp32,
//! integer ops are exact.

mod dynamic;
mod exec;
mod session;

pub use session::CpuSession;

use crate::error::RunError;
use crate::options::Options;
use crate::placement::Placement;
use crate::plan::{self, NoPlan, Plan};
use crate::ports;
use crate::runtime::{Loaded, Runtime, Session};
use dynamic::Dynamic;
use mil_base::Name;
use mil_check::{Checked, specialise};
use mil_ir::FunctionId;
use mil_kernels::Pool;
use std::sync::{Arc, Mutex, PoisonError};

/// The runtime `cpu`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

impl Runtime for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn load(&self, checked: Arc<Checked>, options: &Options) -> Result<Arc<dyn Loaded>, RunError> {
        Ok(Arc::new(LoadedCpu::new(checked, options)?))
    }
}

/// The shapes of a function's inputs, by name.
pub(crate) type Shapes = Vec<(Name, Vec<usize>)>;

/// Plans kept for other shapes than the latest. Each holds its own prepared constants.
const PLANS_KEPT: usize = 6;

/// A program loaded by the cpu runtime. Clones share everything.
#[derive(Clone)]
pub struct LoadedCpu {
    shared: Arc<Shared>,
}

struct Shared {
    checked: Arc<Checked>,
    options: Options,
    pool: Pool,
    /// The latest used last.
    plans: Mutex<Vec<(FunctionId, Shapes, Bound)>>,
}

/// A function made ready for concrete input shapes.
#[derive(Clone)]
pub enum Bound {
    /// Everything is known beforehand.
    Static(Arc<Plan>),
    /// Some sizes are known only from data, so ops are prepared as they come; with the first such value in words.
    Dynamic(Arc<Dynamic>, String),
}

impl LoadedCpu {
    /// Loads a program; fails only if threads cannot be started.
    pub fn new(checked: Arc<Checked>, options: &Options) -> Result<LoadedCpu, RunError> {
        let pool = Pool::new(options.threads).map_err(|e| RunError::internal(e.to_string()))?;
        let plans = Mutex::new(Vec::new());
        Ok(LoadedCpu { shared: Arc::new(Shared { checked, options: options.clone(), pool, plans }) })
    }

    /// The program.
    pub fn checked(&self) -> &Arc<Checked> {
        &self.shared.checked
    }

    /// How many plans it holds now: one for each function and set of input shapes that was bound, the latest few.
    pub fn plans(&self) -> usize {
        self.shared.plans.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Threads that work at once.
    pub(crate) fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    /// Starts a session of a function (the default one for `None`).
    pub fn session(&self, function: Option<&str>) -> Result<CpuSession, RunError> {
        let function = ports::find_function(self.checked(), function)?;
        CpuSession::new(self.clone(), function)
    }

    /// The plan of a function for these input shapes, made now or before. Inputs that are left out have their declared
    /// or default shapes.
    pub fn bind(&self, function: FunctionId, shapes: &[(Name, Vec<usize>)]) -> Result<Bound, RunError> {
        // The lock is held while planning: a second session that wants the same plan waits for it.
        let mut plans = self.shared.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = plans.iter().position(|(f, s, _)| *f == function && s == shapes) {
            let found = plans.remove(at);
            let bound = found.2.clone();
            plans.push(found);
            return Ok(bound);
        }
        let Shared { checked, options, pool, .. } = &*self.shared;
        let types = specialise(checked, function, shapes).map_err(RunError::Refused)?;
        let bound = match plan::plan(checked, function, types, options, pool) {
            Ok(plan) => Bound::Static(Arc::new(plan)),
            Err(NoPlan::Error(error)) => return Err(error),
            Err(NoPlan::Dynamic(why)) => {
                let types = specialise(checked, function, shapes).map_err(RunError::Refused)?;
                let dynamic = Dynamic::new(checked.clone(), function, types, options, pool)?;
                Bound::Dynamic(Arc::new(dynamic), why)
            }
        };
        if plans.len() >= PLANS_KEPT {
            plans.remove(0);
        }
        plans.push((function, shapes.to_vec(), bound.clone()));
        Ok(bound)
    }
}

impl Loaded for LoadedCpu {
    fn runtime(&self) -> &'static str {
        "cpu"
    }

    fn placement(&self) -> Placement {
        Placement::HOST
    }

    fn checked(&self) -> &Arc<Checked> {
        LoadedCpu::checked(self)
    }

    fn session(&self, function: Option<&str>) -> Result<Box<dyn Session>, RunError> {
        Ok(Box::new(LoadedCpu::session(self, function)?))
    }
}
