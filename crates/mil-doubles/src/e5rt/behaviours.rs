//! What is modelled, with its source.
//!
//! Where sources contradict each other, "on" is the newer or better controlled one and the text names the other.

use crate::behaviour::Behaviour;

const SHEET: &str = "facts/e5rt-chips-rules.md section 4";

const fn row(slug: &'static str, says: &'static str, source: &'static str) -> Behaviour {
    Behaviour { slug, says, source }
}

pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    row(
        "e5rt/config-required",
        "A compiler is not made without a configuration: status 1.",
        "section 4, call 3",
    ),
    row(
        "e5rt/out-first",
        "Creators take the out-pointer first; the other order is answered with a status and \"Cannot provide program function as nullptr\" or \"Invalid E5 path specified\".",
        "section 4, conventions and call 12; facts/ane-facts.md 1.4",
    ),
    row(
        "e5rt/release-by-address",
        "Releases take the address of the handle and clear it.",
        "section 4, conventions; conflict 4",
    ),
    row(
        "e5rt/mask-4-refuses",
        "Device mask 4 alone is the Neural Engine or a compile error.",
        "section 4, call 5; facts/ane-facts.md O27-O29 and the sweep of 166 ops",
    ),
    row(
        "e5rt/mask-7-falls-back",
        "Masks with 4 and another device fall back to it without a word.",
        "section 4, call 5",
    ),
    row(
        "e5rt/io-types",
        "The Neural Engine takes and gives fp16, int8, uint8, int16 and uint16 only.",
        "facts/e5rt-chips-rules.md rule 12",
    ),
    row(
        "e5rt/states-are-inout",
        "States of a program are inout ports (one source; another found them refused by the compiler).",
        "facts/ane-facts.md 1.4 and O30, rule 18",
    ),
    row(
        "e5rt/padded-rows",
        "Ports of rank 2 and more have rows padded to 64 bytes.",
        "section 4, port introspection",
    ),
    row(
        "e5rt/strides-in-bytes",
        "Strides are in bytes. The unit is not documented; off, they are in elements.",
        SHEET,
    ),
    row(
        "e5rt/port-introspection",
        "Ports can be asked for their layout. Off, those functions are not exported.",
        SHEET,
    ),
    row("e5rt/buffer-types", "Buffers of type 3 and above are refused.", "section 4, call 18"),
    row(
        "e5rt/buffer-multiple-of-64",
        "A buffer's size is a multiple of 64. Stricter than is known: every known caller rounds up.",
        "section 4, call 18",
    ),
    row(
        "e5rt/frozen-after-encode",
        "What is bound to an operation cannot change once it is encoded.",
        "section 4, call 25",
    ),
    row(
        "e5rt/ports-bound",
        "An operation with a port that has no buffer is not encoded.",
        "section 4, call 20 (bind before encode)",
    ),
    row(
        "e5rt/zero-handle",
        "An operation or stream of handle 0 does nothing and reports success, which leaves the output as it was.",
        "facts/ane-facts.md 1.3 (experiments U to W1)",
    ),
    row("e5rt/outputs-written", "What an operation computes is written to its output buffers.", SHEET),
    row(
        "e5rt/order-of-encoding",
        "Operations run in the order in which they were encoded, whatever the events say.",
        "section 4, behaviour facts",
    ),
    row("e5rt/runs-again", "A stream runs again without being encoded again.", "section 4, call 26"),
    row("e5rt/null-block-crashes", "Submitting without a block crashes.", "section 4, call 27"),
    row(
        "e5rt/old-submit-withdrawn",
        "The older name of submit answers that the new one is to be used.",
        "section 4, call 27",
    ),
    row(
        "e5rt/one-stream-at-a-time",
        "While a stream is in flight, the completion of another never comes.",
        "section 4, behaviour facts (guide)",
    ),
    row("e5rt/in-flight-limit", "At most 127 requests are in flight.", "section 4, behaviour facts"),
    row("e5rt/event-third-argument", "An event's third argument is 0.", "section 4, call 21"),
    row("e5rt/event-name", "An event has a name.", "section 4, call 21"),
    row(
        "e5rt/events-still-under-sync",
        "Completion events do not advance under execute_sync.",
        "section 4, call 29",
    ),
    row(
        "e5rt/reset-fresh-stream",
        "A stream that never ran can be reset (another source: it cannot).",
        "section 4, call 31; conflict 5",
    ),
    row(
        "e5rt/prepare-trap",
        "prepare_op_for_encode reports success; afterwards the stream cannot be reset, and releasing it aborts the process.",
        "section 4, call 32; conflict 6",
    ),
    row(
        "e5rt/load-withdrawn",
        "load_for_execution answers that it is no longer supported.",
        "section 4, also known",
    ),
    row(
        "e5rt/chip-bound",
        "A library compiled for another chip does not become an operation.",
        "section 4, call 15",
    ),
    row(
        "e5rt/target-architecture-ignored",
        "The compiler option TargetArchitecture has no effect (another source: it has).",
        "section 4, call 9; conflict 8",
    ),
    row(
        "e5rt/bundle-reuse",
        "A compiled bundle is opened by another process (another source: it must be compiled again).",
        "section 4, behaviour facts; conflict 7",
    ),
    row(
        "e5rt/loaded-limit",
        "About 128 programs are loaded in a process; releasing one makes room.",
        "section 4, behaviour facts",
    ),
    row(
        "e5rt/status-text-is-c",
        "error_code_get_string gives a C string (another source: a C++ one, which a C caller cannot take). Off, it gives nothing.",
        "section 4, conventions; conflict 2",
    ),
    row(
        "e5rt/last-error-text",
        "get_last_error_message has the reason of the thread's last failure. Off, it is empty.",
        "section 4, conventions",
    ),
];
