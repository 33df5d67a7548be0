//! Are the numbers right? Every step of the `cpu` runtime against the reference; the outputs of every other runtime.

use crate::model::{Engine, Model};
use mil_base::{DType, Name, Tensor};
use mil_run::{Cpu, Named, Options, Reference, RunError, Runtime};

/// An output of a runtime whose steps cannot be seen, against the reference's.
#[derive(Clone, PartialEq, Debug)]
pub struct Comparison {
    /// The output.
    pub name: String,
    /// The largest difference from the reference.
    pub difference: f64,
    /// What the `cpu` runtime's largest difference is for the same inputs: how much rounding alone does in this program.
    pub cpu_difference: f64,
    /// The largest magnitude of the reference.
    pub largest: f64,
    /// The largest difference that is taken for rounding: [`Comparison::FACTOR`] times that of `cpu`, and as many units in
    /// the last place of the largest value.
    pub allowed: f64,
}

impl Comparison {
    /// How much worse than `cpu` a runtime's rounding may be. Accumulation in fp16, the coarsest arithmetic known of any of
    /// Apple's devices, is about six times worse at the sizes of the research (`facts/where-the-research-ran.md`), the
    /// engine's attention ten times.
    pub const FACTOR: f64 = 16.0;

    /// Is the difference explained by rounding?
    pub fn holds(&self) -> bool {
        self.difference <= self.allowed
    }
}

/// The distance between neighbouring numbers of the type near `largest`; integers have none to spare.
fn unit(dtype: DType, largest: f64) -> f64 {
    match dtype {
        DType::Fp16 => largest * 2f64.powi(-10),
        DType::Bf16 => largest * 2f64.powi(-7),
        dtype if dtype.is_float() => largest * 2f64.powi(-23),
        _ => 0.0,
    }
}

fn difference(a: &Tensor, b: &Tensor) -> f64 {
    let (a, b) = (a.to_f64(), b.to_f64());
    let differs =
        |(x, y): (&f64, &f64)| if x == y || (x.is_nan() && y.is_nan()) { 0.0 } else { (x - y).abs() };
    let worse = |worst: f64, d: f64| if d.is_nan() || d > worst { d } else { worst };
    a.iter().zip(&b).map(differs).fold(0.0, worse)
}

impl Model {
    /// Runs once more on the `cpu` runtime, from zero states, with every step compared with the reference for the step's own
    /// inputs, and the outputs with a whole run of the reference.
    ///
    /// For a model of another runtime there are no steps to see and the report is empty: [`Model::compare`] its outputs.
    pub fn verify(&self, inputs: &[(String, Tensor)]) -> Result<mil_run::Report, RunError> {
        let Engine::Cpu(loaded) = self.engine() else {
            return Ok(mil_run::Report {
                steps: Vec::new(),
                outputs: Vec::new(),
                results: Vec::new(),
                failures: Vec::new(),
            });
        };
        let name = loaded.checked().program().functions[self.function()].name.clone();
        let mut session = loaded.session(Some(&name))?;
        mil_run::verify(loaded, &mut session, Some(&name), &self.complete(inputs))
    }

    /// Compares outputs, which this model's runtime gave for these inputs from zero states, with the reference's, and with
    /// how far those of `cpu` are from them.
    pub fn compare(
        &self,
        inputs: &[(String, Tensor)],
        outputs: &[(String, Tensor)],
    ) -> Result<Vec<Comparison>, RunError> {
        let name = self.checked().program().functions[self.function()].name.clone();
        let inputs = self.complete(inputs);
        let run = |runtime: &dyn Runtime| -> Result<Vec<Named>, RunError> {
            runtime.load(self.checked().clone(), &Options::default())?.session(Some(&name))?.run(&inputs)
        };
        let (wanted, cpu) = (run(&Reference)?, run(&Cpu)?);
        let find = |name: &Name| cpu.iter().find(|(n, _)| n == name).map(|(_, t)| t);
        let compare = |(name, want): &Named| {
            let got = outputs.iter().find(|(n, _)| **n == **name).map(|(_, t)| t);
            let got = got.filter(|t| t.shape() == want.shape());
            let largest = want.to_f64().iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            let cpu_difference = find(name).map_or(f64::INFINITY, |t| difference(t, want));
            let dtype = find(name).map_or(want.dtype(), Tensor::dtype);
            Comparison {
                name: name.to_string(),
                difference: got.map_or(f64::INFINITY, |t| difference(t, want)),
                cpu_difference,
                largest,
                allowed: Comparison::FACTOR * (cpu_difference + unit(dtype, largest)),
            }
        };
        Ok(wanted.iter().map(compare).collect())
    }
}
