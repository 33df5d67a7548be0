//! Core ML and its engine for ML Programs.

use crate::behaviour::Behaviour;

const fn row(slug: &'static str, says: &'static str, source: &'static str) -> Behaviour {
    Behaviour { slug, says, source }
}

/// The table; sources are sections of `facts/ane-facts.md`.
pub(crate) const TABLE: &[Behaviour] = &[
    row("coreml/rows-are-padded", "Arrays that the framework makes have rows of whole 64 bytes.", "3.1 S10"),
    row(
        "coreml/outputs-are-written",
        "A prediction that reports success has written its outputs.",
        "2, experiment W1",
    ),
    row("coreml/state-stays", "A state keeps what a prediction wrote to it.", "1.8"),
    row(
        "coreml/small-ops-stay-on-the-cpu",
        "The plan prefers the engine only for ops of about 256 channels of 32 x 32.",
        "1.7",
    ),
    row(
        "mle5/programs-run-on-e5",
        "A program's internal engine is MLE5Engine or one for several functions; off, an older kind.",
        "1.3, 1.8",
    ),
    row("mle5/library-has-container", "A program library has its container in `_container`.", "1.3 step 2"),
    row(
        "mle5/impl-has-container",
        "A library's implementation has the container in `_container`.",
        "1.3 step 2",
    ),
    row("mle5/old-container-has-path", "An older engine's container knows the model's path.", "1.3 step 2"),
    row("mle5/cache-is-writable", "Compiling needs a cache that can be written; it can.", "1.3, rules"),
    row(
        "mle5/features-equal-description",
        "The program's names and shapes must be those of the model's description.",
        "1.3, S21",
    ),
    row(
        "mle5/zero-handle-does-nothing",
        "An operation without a handle executes as success and writes nothing.",
        "1.3, experiments U, W1",
    ),
    row(
        "mle5/used-stream-refuses-submission",
        "Submitting a used stream fails: Reset stream to add more operations.",
        "1.3, experiment W4",
    ),
    row(
        "mle5/packed-inputs-bind-directly",
        "A packed input is bound directly (mode 1), others are copied (mode 0).",
        "1.3, experiment W5",
    ),
];
