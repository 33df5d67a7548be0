//! How long a program takes: as a whole, and step by step.

use crate::machine;
use crate::model::{Engine, Model};
use mil_base::{Name, Tensor};
use mil_ir::OpId;
use mil_run::{Observer, RunError, StepView};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Times of whole runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// The first run, planning included.
    pub first: Duration,
    /// Half of the runs were faster.
    pub median: Duration,
    /// One in ten was faster.
    pub p10: Duration,
    /// Nine in ten were faster.
    pub p90: Duration,
    /// Runs measured.
    pub runs: usize,
    /// Floating-point operations of one run, if they can be counted.
    pub flops: Option<u64>,
    /// The most memory the process ever held, in bytes, where the system says so. Mapped weights that were read count.
    pub peak_memory: Option<u64>,
}

impl Measured {
    /// Billions of floating-point operations a second at the median.
    pub fn gflops(&self) -> Option<f64> {
        rate(self.flops, self.median)
    }
}

/// The time of one step: an op, or several fused into one kernel.
#[derive(Clone, PartialEq, Debug)]
pub struct StepShare {
    /// The kinds of ops, in order.
    pub ops: Vec<String>,
    /// The name of the last op's first output.
    pub output: String,
    /// Half of the runs were faster.
    pub median: Duration,
    /// Floating-point operations, if they can be counted.
    pub flops: Option<u64>,
}

impl StepShare {
    /// Billions of floating-point operations a second at the median.
    pub fn gflops(&self) -> Option<f64> {
        rate(self.flops.filter(|&n| n > 0), self.median)
    }
}

fn rate(flops: Option<u64>, time: Duration) -> Option<f64> {
    let seconds = time.as_secs_f64();
    flops.filter(|_| seconds > 0.0).map(|n| n as f64 / seconds / 1e9)
}

/// Fewest runs that make a median.
const FEWEST: usize = 5;
/// Runs before the clock counts.
const WARM_UP: usize = 3;

/// Times runs of a model on the same inputs for about `budget`. Inputs are copied in and outputs out each time, as for any user.
pub fn bench(model: &Model, inputs: &[(String, Tensor)], budget: Duration) -> Result<Measured, RunError> {
    let mut session = model.session()?;
    let begun = Instant::now();
    session.run(inputs)?;
    let first = begun.elapsed();
    for _ in 1..WARM_UP {
        session.run(inputs)?;
    }
    let (mut times, begun) = (Vec::new(), Instant::now());
    while times.len() < FEWEST || begun.elapsed() < budget {
        let t = Instant::now();
        session.run(inputs)?;
        times.push(t.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    let info = crate::inspect::inspect(model.opened(), model.checked());
    let flops = info.get(model.function().index()).and_then(|i| i.flops);
    Ok(Measured {
        first,
        median: at(50),
        p10: at(10),
        p90: at(90),
        runs: times.len(),
        flops,
        peak_memory: machine::peak_memory(),
    })
}

/// Times every step of the `cpu` runtime, the slowest first. The clock itself takes a part of a microsecond a step. Empty for
/// the reference runtime, which is not there to be timed.
pub fn bench_steps(
    model: &Model,
    inputs: &[(String, Tensor)],
    budget: Duration,
) -> Result<Vec<StepShare>, RunError> {
    let Engine::Cpu(loaded) = model.engine() else { return Ok(Vec::new()) };
    let checked = model.checked();
    let function = &checked.program().functions[model.function()];
    let mut session = loaded.session(Some(&function.name))?;
    let inputs: Vec<(Name, Tensor)> = model.complete(inputs);
    session.run_observed(&inputs, &mut Clock::default())?;
    let (mut clock, begun, mut runs) = (Clock::default(), Instant::now(), 0);
    while runs < FEWEST || begun.elapsed() < budget {
        session.run_observed(&inputs, &mut clock)?;
        runs += 1;
    }
    let mut shares: Vec<StepShare> = clock
        .times
        .into_iter()
        .map(|(ops, mut times)| {
            times.sort_unstable();
            let output = ops.last().and_then(|&op| function.ops[op].outputs.first());
            let cost = |&op: &OpId| checked.view(model.function(), op).and_then(|v| (v.def.cost)(&v));
            StepShare {
                ops: ops.iter().map(|&op| function.ops[op].name.to_string()).collect(),
                output: output.map_or_else(String::new, |&v| function.values[v].name.to_string()),
                median: times[times.len() / 2],
                flops: ops.iter().map(cost).sum(),
            }
        })
        .collect();
    shares.sort_by_key(|s| std::cmp::Reverse(s.median));
    Ok(shares)
}

/// Collects the times of every step.
#[derive(Default)]
struct Clock {
    begun: Option<Instant>,
    times: BTreeMap<Vec<OpId>, Vec<Duration>>,
}

impl Observer for Clock {
    fn before(&mut self, _: &StepView<'_>, _: &dyn Fn(mil_ir::ValueId) -> Option<Tensor>) {
        self.begun = Some(Instant::now());
    }

    fn after(&mut self, step: &StepView<'_>, _: &dyn Fn() -> Vec<Tensor>) {
        let Some(took) = self.begun.take().map(|t| t.elapsed()) else { return };
        match self.times.get_mut(step.ops) {
            Some(times) => times.push(took),
            None => {
                self.times.insert(step.ops.to_vec(), vec![took]);
            }
        }
    }
}
