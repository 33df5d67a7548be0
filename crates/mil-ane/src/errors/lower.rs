//! The codes below and beside the daemon: compiler, request status, `ANECCompile`, kernel, e5rt.
//!
//! Sources: `facts/ane-facts.md` sections 1.2 and 3, `facts/e5rt-chips-rules.md` section 4.

use super::{Confidence, Domain, ErrorEntry, entries};

pub(super) static ENTRIES: &[ErrorEntry] = entries! {
    Compiler 1 "ane-compiler/error-1" "ANECCompile() failed",
        "The engine's compiler refused the program and says no more. It is the commonest complaint of all: an op, type or shape the engine does not take, or the text form of a newer system.",
        "Look for the rule in the catalogue (docs/book/catalogue.md): rank above 5, fp32 arithmetic, an axis past 16384 on M1 to M3, an op without a path. Halve the program until it compiles. After failures wait 15 seconds.",
        "MX, OR, SEED" High;
    Espresso -1 "ane-espresso/error-minus-1" "a file of the network is missing",
        "A client was asked to compile or load an `_ANEModel`, which needs `model.espresso.net`; a folder staged from MIL has none.",
        "Compile through `_ANEInMemoryModel`, which reads `model.mil`.",
        "SEED experiment M" Medium;
    Status 0x2 "ane/status-0x2" "wrong procedure or symbol indices",
        "A program with several procedures was called with indices of another procedure.",
        "Take the indices from `ANEFModelDescription`, `ANEFModelProcedures` in the model's attributes.",
        "AI" Medium;
    Status 0x12 "ane/status-0x12" "surfaces could not be mapped",
        "Mapping the surfaces of a request ahead of it failed; the daemon's code 13.",
        "Do not map ahead: put the surfaces into the request and evaluate.",
        "SEED, LR; AF has it work for netlists" Contradicted;
    Status 0x1d "ane/status-0x1d" "program inference error",
        "The surfaces do not fit the program: sizes of the inputs (or outputs) differ among each other, a surface is too small, there are too many or too few. After `tile` one machine gave it until the process ended.",
        "Give every input the size of the largest and every output the size of the largest, 48 KB at least, last axis 32 or more, in the alphabetical order of the names.",
        "OR 2, 4, 12; ES; FG" High;
    StatusType 0x9 "ane/status-type-0x9" "program inference error",
        "The kind of failure that comes with status 0x1d.",
        "See `ane/status-0x1d`.",
        "OR, ES" High;
    Anec -14 "anec/error-minus-14" "the program has too many ops",
        "`ANECCompile` gives up past about 3200 ops (M4).",
        "Split the program.",
        "MI shard.rs" Medium;
    Kernel 0xe00002be "iokit/0xe00002be" "no resources (kIOReturnNoResources)",
        "The driver has no room for another program or request: about 128 programs can be loaded, 127 requests be in flight.",
        "Unload programs; wait for requests.",
        "AG appC; AF for the numbers" Medium;
    Kernel 0xe00002c7 "iokit/0xe00002c7" "unsupported (kIOReturnUnsupported)",
        "The driver does not offer the call, or closes it to programs without the entitlement.",
        "Take a path that needs no entitlement.",
        "AG appC" Medium;
    Kernel 0xe00002e2 "iokit/0xe00002e2" "not permitted (kIOReturnNotPermitted)",
        "The program handed to the driver is not signed by the daemon.",
        "Compile through the daemon; a program built elsewhere cannot be loaded.",
        "AG appC" Medium;
    E5rt 0 "e5rt/status-0" "success",
        "The call did what was asked. It does not say that an operation wrote its outputs: an operation of handle 0 succeeds and does nothing.",
        "Fill the outputs with a pattern before the run and look whether it is gone.",
        "AB, TMC; SEED experiments U and W1 for the trap" High;
    E5rt 1 "e5rt/status-1" "invalid argument",
        "A NULL or a wrong object: `e5rt_e5_compiler_create_with_config` without a config gives it.",
        "Creators take the address of the new handle first; methods take their object first and the address of a result last.",
        "AB, TMC; AF for the config" High;
    E5rt 2 "e5rt/status-2" "invalid operation",
        "The call comes at the wrong time, or is no longer supported: `e5rt_program_function_load_for_execution` on macOS 26.",
        "Make the operation from precompiled options; reset a stream before adding to one that ran.",
        "AB, TMC" High;
    E5rt 3 "e5rt/status-3" "allocation failed",
        "There is no memory of the kind asked for.",
        "Release buffers and programs.",
        "AB, TMC" High;
    E5rt 4 "e5rt/status-4" "out of bounds",
        "An index or size is past the end.",
        "Ask for the number of ports, dimensions or functions first.",
        "AB, TMC" High;
    E5rt 5 "e5rt/status-5" "invalid type parameter",
        "An enumerated argument has an unknown value: `e5rt_buffer_object_alloc` takes 0, 1 and 2.",
        "Use buffer type 0, the only one verified.",
        "AB, TMC; AF for the buffer types" High;
    E5rt 6 "e5rt/status-6" "invalid data type",
        "The element type is not one the port or the path takes.",
        "Inputs and outputs are fp16, int8, uint8, int16 or uint16; cast fp32 inside the program.",
        "AB, TMC; AF for the types" High;
};
