//! Are the numbers right? Every step of the `cpu` runtime against the reference.

use crate::model::{Engine, Model};
use mil_base::Tensor;
use mil_run::RunError;

impl Model {
    /// Runs once more on the `cpu` runtime, from zero states, with every step compared with the reference for the step's own
    /// inputs, and the outputs with a whole run of the reference.
    ///
    /// For a model of the reference runtime nothing is left to compare, and the report is empty.
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
}
