//! probe-classes: which private classes and methods are here, with which types.

use crate::card::{Experiment, Risk, steps};

/// The card of probe-classes.
pub static PROBE_CLASSES: Experiment = Experiment {
    id: "probe-classes",
    title: "the classes and methods that are here, with their types",
    page: include_str!("classes.md"),
    risk: Risk::Safe,
    steps: steps!(steps::run),
};

/// The classes that the bridges and the experiments use.
pub const CLASSES: &[&str] = &[
    "_ANEBuffer",
    "_ANEChainingRequest",
    "_ANEClient",
    "_ANEDeviceInfo",
    "_ANEErrors",
    "_ANEIOSurfaceObject",
    "_ANEIOSurfaceOutputSets",
    "_ANEInMemoryModel",
    "_ANEInMemoryModelDescriptor",
    "_ANEInputBuffersReady",
    "_ANEModel",
    "_ANEOutputSetEnqueue",
    "_ANEPerformanceStats",
    "_ANEProgramForEvaluation",
    "_ANEProgramIOSurfacesMapper",
    "_ANERequest",
    "_ANESharedEvents",
    "_ANESharedSignalEvent",
    "_ANESharedWaitEvent",
    "MLE5Engine",
    "MLE5ExecutionStream",
    "MLE5ExecutionStreamOperation",
    "MLE5ExecutionStreamPool",
    "MLE5InputPort",
    "MLE5InputPortBinder",
    "MLE5OutputPort",
    "MLE5ProgramLibrary",
    "MLE5ProgramLibraryOnDeviceAOTCompilationImpl",
    "MLE5StaticShapeExecutionStreamOperationPool",
    "MLProgramE5Container",
    "MLMultiFunctionProgramEngine",
    "MLComputePlan",
    "MLModel",
    "MLModelConfiguration",
    "MLMultiArray",
];

#[cfg(bridge)]
mod steps {
    use super::*;
    use crate::bench::{Bench, Stop};
    use mil_apple::objc::probe;

    pub(super) fn run(bench: &mut Bench) -> Result<(), Stop> {
        let mut lines = Vec::new();
        let mut missing = Vec::new();
        for class in CLASSES {
            match probe::dump(class) {
                Ok(methods) => {
                    bench.found(format!("{class}, methods"), methods.len());
                    lines.extend(methods);
                }
                Err(_) => missing.push(*class),
            }
        }
        bench.found("classes found", CLASSES.len() - missing.len());
        bench.found("classes missing", missing.join(", "));
        bench.found("methods", lines.len());
        bench.dump("selectors", lines);
        Ok(())
    }
}
