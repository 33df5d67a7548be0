//! v2-1: which classes of chaining exist.

use crate::card::{Experiment, Risk, steps};

/// The card of v2-1.
pub static V2_1: Experiment = Experiment {
    id: "v2-1",
    title: "which classes of chaining exist",
    page: include_str!("v2_1.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

#[cfg(bridge)]
mod steps {
    use crate::bench::{Bench, Stop};
    use mil_apple::objc::probe;

    const CLASSES: [&str; 9] = [
        "_ANEBuffer",
        "_ANEChainingRequest",
        "_ANEClient",
        "_ANEIOSurfaceOutputSets",
        "_ANEInputBuffersReady",
        "_ANEModel",
        "_ANEOutputSetEnqueue",
        "_ANEProgramForEvaluation",
        "_ANEProgramIOSurfacesMapper",
    ];

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let (mut lines, mut missing) = (Vec::new(), Vec::new());
        for class in CLASSES {
            match probe::dump(class) {
                Ok(methods) => lines.extend(methods),
                Err(_) => missing.push(class),
            }
        }
        bench.found("classes found", CLASSES.len() - missing.len());
        bench.found("classes missing", missing.join(", "));
        bench.dump("chaining-selectors", lines);
        Ok(())
    }
}
