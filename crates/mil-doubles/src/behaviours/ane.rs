//! AppleNeuralEngine.

use crate::behaviour::Behaviour;

const fn row(slug: &'static str, says: &'static str, source: &'static str) -> Behaviour {
    Behaviour { slug, says, source }
}

/// The table; sources are sections of `facts/ane-facts.md`.
pub(crate) const TABLE: &[Behaviour] = &[
    row(
        "ane/staged-files",
        "Compiling fails unless the same text is staged in the folder named by the identifier.",
        "1.1",
    ),
    row(
        "ane/nil-weights-crash",
        "A descriptor with nil in place of the weights dictionary throws.",
        "1.1, S17 (contradicted)",
    ),
    row(
        "ane/compile-budget",
        "After 119 compiles the process can compile nothing more.",
        "L23 (contradicted)",
    ),
    row("ane/load-limit", "At most 127 programs are loaded at once.", "1.4, L23"),
    row(
        "ane/io-types",
        "Programs whose ports are none of fp16, fp32, int8, uint8, int16, uint16 do not compile.",
        "S11",
    ),
    row(
        "ane/alphabetical-inputs",
        "Inputs bind in the order of their names, whatever the order of declaration.",
        "S03",
    ),
    row(
        "ane/alphabetical-outputs",
        "Outputs bind in the order of their names, whatever the order of return.",
        "S04",
    ),
    row("ane/equal-input-sizes", "Input surfaces of different sizes are answered with status 0x1d.", "S01"),
    row("ane/equal-output-sizes", "Output surfaces of different sizes are answered with status 0x1d.", "S02"),
    row(
        "ane/symbol-indices",
        "Indices other than the procedure's symbols are answered with status 0x2.",
        "1.1",
    ),
    row(
        "ane/writes-outputs",
        "An evaluation that reports success has written its outputs.",
        "2, experiment W1",
    ),
    row("ane/no-performance-stats", "Performance statistics stay nil.", "1.6, experiment 5b"),
    row(
        "ane/real-time-without-entitlement",
        "Real-time evaluation works without an entitlement.",
        "1.6, experiment 5a",
    ),
    row("ane/begin-real-time-refused", "beginRealTimeTask answers NO.", "1.6, experiment 5a"),
    row("ane/map-fails", "Mapping surfaces of a MIL program fails with code 13.", "1.6"),
    row(
        "ane/shared-events-stall",
        "A request with shared events never returns; here, a time-out after MILWRIGHT_DOUBLE_STALL_MS.",
        "1.6",
    ),
    row(
        "ane/shared-events-crash-process-request",
        "processRequest with shared events crashes; here, an exception.",
        "1.6",
    ),
    row("ane/output-set-needs-stats", "An output set without a surface for statistics is nil.", "1.5"),
    row(
        "ane/chaining-validate",
        "A chaining request validates only with buffers in and sets of buffers out.",
        "1.5, experiments v1, 7",
    ),
    row(
        "ane/loopback-is-an-array",
        "A number in place of the array of loopback symbols throws at -count.",
        "1.5, experiment F",
    ),
    row(
        "ane/chaining-needs-uuid",
        "Preparing a chain with an in-memory model throws at -getUUID.",
        "1.5, experiment 7",
    ),
    row(
        "ane/chaining-prepare-15",
        "Preparing a chain fails with code 15; off, the contradicted report of success.",
        "1.5, Q1 (contradicted)",
    ),
    row("ane/buffers-ready-no", "What should follow a prepared chain answers NO without an error.", "1.5"),
];
