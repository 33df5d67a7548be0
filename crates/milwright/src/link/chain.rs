//! Does the joined program give what its parts give one after another?

use super::Link;
use crate::fill::Random;
use crate::model::{LoadOptions, ports, run_options};
use mil_base::{DType, Name, Tensor, Type};
use mil_check::Checked;
use mil_ir::FunctionId;
use mil_passes::{Feed, Origin};
use mil_run::{CpuSession, LoadedCpu, RunError, Session};
use std::sync::Arc;

/// Runs of each: the second begins with the states that the first left.
const ROUNDS: usize = 2;

/// The joined program compared with the chain of its parts, on the `cpu` runtime.
#[derive(Clone, PartialEq, Debug)]
pub struct ChainCheck {
    /// The largest difference of each output, and of each state afterwards; zero where all bits are equal.
    pub differences: Vec<(Name, f64)>,
    /// Are all bits of outputs and states equal?
    pub equal: bool,
    /// Are they when neither side fuses ops across the seams? Asked only if they are not equal as they run.
    pub equal_unfused: Option<bool>,
    /// Plans of the joined program; none if sizes depend on data.
    pub plans: usize,
    /// Plans of the parts together.
    pub chain_plans: usize,
}

impl ChainCheck {
    /// Is linking right? Then all bits are equal, or would be if fusing fp32 ops did not change their rounding.
    pub fn holds(&self) -> bool {
        self.equal || self.equal_unfused == Some(true)
    }
}

impl Link {
    /// Runs the joined program and the chain of its parts on random inputs of this seed and compares every bit of the
    /// outputs and states. Inputs of flexible shape have their usual one.
    pub fn verify(&self, seed: u64) -> Result<ChainCheck, RunError> {
        let mut check = self.compare(seed, true)?;
        if !check.equal {
            check.equal_unfused = Some(self.compare(seed, false)?.equal);
        }
        Ok(check)
    }

    fn compare(&self, seed: u64, fusion: bool) -> Result<ChainCheck, RunError> {
        let mut random = Random::new(seed);
        let mut whole = Engine::new(&self.checked, self.function(), fusion)?;
        let mut chain = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            chain.push(Engine::new(&piece.checked, piece.function, fusion)?);
        }
        let mut differences: Vec<(Name, f64)> = Vec::new();
        let mut equal = true;
        let mut note = |name: &Name, want: &Tensor, got: &Tensor| {
            equal &= same(want, got);
            let difference = difference(want, got);
            match differences.iter_mut().find(|(n, _)| n == name) {
                Some((_, largest)) => *largest = difference.max(*largest),
                None => differences.push((name.clone(), difference)),
            }
        };
        for _ in 0..ROUNDS {
            let inputs = self.random_inputs(&mut random)?;
            let wanted = self.run_chain(&mut chain, &inputs)?;
            let got = whole.session.run(&inputs)?;
            // A dictionary is two tensors; each output of the chain is a list of what it became.
            let wanted = self.linked.outputs.iter().flat_map(|at| &wanted[at.part][at.port]);
            for ((name, got), want) in got.iter().zip(wanted) {
                note(name, want, got);
            }
        }
        let states = chain.iter().flat_map(|e| e.session.states());
        for ((name, got), (_, want)) in whole.session.states().iter().zip(states) {
            note(name, &want, got);
        }
        let chain_plans = chain.iter().map(|e| e.loaded.plans()).sum();
        Ok(ChainCheck { differences, equal, equal_unfused: None, plans: whole.loaded.plans(), chain_plans })
    }

    fn random_inputs(&self, random: &mut Random) -> Result<Vec<(Name, Tensor)>, RunError> {
        let ports = ports(&self.opened, &self.checked, self.function());
        let tensor = |port: &crate::model::Port| {
            let made = random.tensor(port.ty.dtype, &port.usual_shape);
            made.map(|t| (port.name.clone(), t))
                .map_err(|e| RunError::Internal(format!("`{}` {e}", port.name)))
        };
        ports.iter().map(tensor).collect()
    }

    /// The outputs of each part, for the inputs of the joined program.
    fn run_chain(
        &self,
        chain: &mut [Engine],
        inputs: &[(Name, Tensor)],
    ) -> Result<Vec<Vec<Vec<Tensor>>>, RunError> {
        let function = &self.checked.program().functions[self.function()];
        let mut made: Vec<Vec<Vec<Tensor>>> = Vec::with_capacity(chain.len());
        for ((piece, feeds), engine) in self.pieces.iter().zip(&self.linked.feeds).zip(chain) {
            let f = piece.function();
            let mut given = Vec::new();
            for (&param, feed) in f.params().iter().zip(feeds) {
                if matches!(f.values[param].ty, Type::State(_)) {
                    continue;
                }
                let tensor = match *feed {
                    Feed::Output(Origin { part, port }, cast) => made[part][port]
                        .first()
                        .map(|t| cast.map_or_else(|| t.clone(), |to| converted(t, to))),
                    Feed::Param(index) => {
                        let name = &function.values[function.params()[index]].name;
                        inputs.iter().find(|(n, _)| n == name).map(|(_, t)| t.clone())
                    }
                };
                given.extend(tensor.map(|t| (f.values[param].name.clone(), t)));
            }
            let outputs = engine.session.run(&given)?;
            made.push(grouped(f, outputs));
        }
        Ok(made)
    }
}

/// One program with a user of it.
struct Engine {
    loaded: LoadedCpu,
    session: CpuSession,
}

impl Engine {
    fn new(checked: &Arc<Checked>, function: FunctionId, fusion: bool) -> Result<Engine, RunError> {
        let options = mil_run::Options { fusion, ..run_options(&LoadOptions::default()) };
        let loaded = LoadedCpu::new(checked.clone(), &options)?;
        let session = loaded.session(Some(&checked.program().functions[function].name))?;
        Ok(Engine { loaded, session })
    }
}

/// What a run gave, by output: a dictionary gave its keys and its values.
fn grouped(function: &mil_ir::Function, outputs: Vec<(Name, Tensor)>) -> Vec<Vec<Tensor>> {
    let mut outputs = outputs.into_iter().peekable();
    let mut groups = Vec::new();
    for &value in function.outputs() {
        let name = &function.values[value].name;
        let mut group = Vec::new();
        while let Some((_, tensor)) = outputs
            .next_if(|(n, _)| n == name || n.strip_prefix(&**name).is_some_and(|r| r.starts_with("::")))
        {
            group.push(tensor);
        }
        groups.push(group);
    }
    groups
}

/// What `cast` gives: floats rounded to nearest even, integers wrapped.
fn converted(tensor: &Tensor, to: DType) -> Tensor {
    let made = match to.int_range() {
        Some((low, high)) => {
            let wrap = |v: i64| ((i128::from(v) - low).rem_euclid(high - low + 1) + low) as i64;
            let values: Vec<i64> = tensor.to_i64().into_iter().map(wrap).collect();
            Tensor::from_i64(to, tensor.shape(), &values)
        }
        None => Tensor::from_f64(to, tensor.shape(), &tensor.to_f64()),
    };
    made.unwrap_or_else(|_| tensor.clone())
}

fn same(a: &Tensor, b: &Tensor) -> bool {
    a.ty() == b.ty() && a.strings() == b.strings() && a.bytes() == b.bytes()
}

fn difference(a: &Tensor, b: &Tensor) -> f64 {
    if same(a, b) {
        return 0.0;
    }
    if a.ty() != b.ty() || !a.strings().is_empty() {
        return f64::INFINITY;
    }
    let pairs = a.to_f64().into_iter().zip(b.to_f64());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, |m, d| if d.is_nan() { f64::INFINITY } else { d.max(m) })
}
