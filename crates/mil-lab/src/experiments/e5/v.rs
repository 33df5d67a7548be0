//! V: several operations in one stream, with outputs checked.

use crate::card::{Experiment, Risk, steps};

/// The card of V.
pub static V: Experiment = Experiment {
    id: "V",
    title: "several operations in one stream, with outputs checked",
    page: include_str!("v.md"),
    risk: Risk::OWN_OPERATIONS,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use crate::layer;
    use mil_apple::mle5::stream::{Content, Handle, OperationReport, StreamOptions};

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let (program, engine) = layer::engine()?;
        let inputs = program.inputs();
        let wanted = engine.predict(inputs)?;
        for n in 1..=4 {
            let report = engine.stream(&vec![Handle::Real; n], inputs, &StreamOptions::default())?;
            bench.attempt(format!("{n} operations, executed"), report.executed);
            let equal = |o: &OperationReport| {
                o.outputs.len() == wanted.len()
                    && o.outputs.iter().zip(&wanted).all(|((name, content), (expected, tensor))| {
                        name == expected
                            && matches!(content, Content::Values(t) if t.bytes() == tensor.bytes())
                    })
            };
            let equal = report.operations.iter().filter(|o| equal(o)).count();
            bench.found(format!("{n} operations, outputs equal to the prediction"), equal);
        }
        Ok(())
    }
}
