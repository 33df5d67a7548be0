//! The codes of `_ANEErrors`, 1 to 29.
//!
//! Source: `facts/ane-facts.md` section 1.2 (DEC: a decompiled `_ANEErrors`; AG appendix C: names) and the factory methods' names in
//! `facts/ane-selectors.md`. What else a row knows is named in it.

use super::{Confidence, Domain, ErrorEntry, entries};

pub(super) static ENTRIES: &[ErrorEntry] = entries! {
    Ane 1 "ane/error-1" "missing entitlement",
        "The call needs an entitlement that Apple gives to its own programs only: chaining, real-time priority, the virtual client, weight adapters and hardware counters do.",
        "Use a path that needs none: compile, load and evaluate in memory, the E5 engine, or e5rt.",
        "DEC; AG ch8, appC; AF" High;
    Ane 2 "ane/error-2" "real-time priority needs restricted access",
        "`loadRealTimeModel:` and its kin were called through a client without restricted access.",
        "Load the model the ordinary way; `evaluateRealTimeWithModel:` runs it without an entitlement where it was tried (M4 Max, macOS 15).",
        "DEC; AG appC; SEED phase 5" High;
    Ane 3 "ane/error-3" "timeout",
        "The daemon or the engine did not answer in time. Shared events attached to an ordinary request were seen to hang.",
        "Attach no events; if it comes back, end the process that loaded the program and load it again.",
        "DEC; AG appC; ES for the hang" High;
    Ane 4 "ane/error-4" "program creation failed",
        "The daemon could not make a program object of the compiled model.",
        "Purge the compiled model and compile again. If that fails, unload other programs: there is room for about 128 in a process.",
        "DEC; AG appC" High;
    Ane 5 "ane/error-5" "overflow during inference",
        "The kernel driver reports status 19: the engine met an overflow while it computed.",
        "Keep the results of matmul, linear and conv below 32768; scale the operands down and the result up.",
        "DEC; AG appC" High;
    Ane 6 "ane/error-6" "program load failed",
        "The compiled program was refused when it was loaded: too many programs are loaded, the files were removed since the compile, or the program is for another chip.",
        "Unload programs that are not in use; compile again; some bridges retry once after 100 ms.",
        "DEC; AG appC; MX for the retry" High;
    Ane 7 "ane/error-7" "missing code signing",
        "The process is not signed, and the daemon identifies its clients by their signature.",
        "Sign the binary; an ad-hoc signature (`codesign -s -`) was enough wherever it was tried.",
        "DEC; AG appC; AF for the signature" High;
    Ane 8 "ane/error-8" "inference error",
        "The engine refused or failed the request. Mostly the surfaces do not fit the program: size, layout, number or order.",
        "Look for `status=` in the description. Give all inputs one size and all outputs one size, in the alphabetical order of their names.",
        "DEC; AG appC; OR, ES for the surfaces" High;
    Ane 9 "ane/error-9" "file access",
        "The daemon may not read the model's folder, or the folder is not where it was.",
        "Stage the model in a folder of the user's own temporary directory and leave it there until the program is unloaded.",
        "DEC; AG appC" High;
    Ane 10 "ane/error-10" "invalid model",
        "The model object is in no state to be used: never compiled, or its last load failed.",
        "Compile, then load, then evaluate, on one and the same object.",
        "DEC; AG appC" High;
    Ane 11 "ane/error-11" "invalid model key",
        "The key under which the model is cached does not belong to it.",
        "Make a new model object rather than changing one.",
        "DEC; AG appC" High;
    Ane 12 "ane/error-12" "a system model must not be purged",
        "`purgeCompiledModel:` was called for a model of the operating system.",
        "Purge only models that you compiled.",
        "DEC; AG appC" High;
    Ane 13 "ane/error-13" "surfaces could not be mapped",
        "Mapping surfaces ahead of a request fails for programs made from MIL, whatever the arguments; also named status 0x12.",
        "Do not map ahead: put the surfaces into the request and evaluate. One source says mapping works for netlist programs.",
        "SEED, LIB, LR for MIL; AF for netlists" Contradicted;
    Ane 14 "ane/error-14" "surfaces could not be unmapped",
        "The surfaces were not mapped, or are still in use by a request.",
        "Wait for the request; unmap only what was mapped.",
        "DEC; AG appC" High;
    Ane 15 "ane/error-15" "chaining could not be prepared",
        "`prepareChainingWithModel:` fails for programs made from MIL: on M4 Max with macOS 15, on M5 with macOS 26.3 in 13 variants. One report has it succeed (a client of one's own, the model inside the in-memory model), and even there nothing ever ran.",
        "Do not chain. `milwright link` joins the programs into one; the e5rt path puts several operations into one stream.",
        "SEED, CHM5 measured; AI and maderix/ANE issue 44 against; DEC for the name" Contradicted;
    Ane 16 "ane/error-16" "file not found",
        "A file of the staged model is missing: `model.mil`, a weight file, or `model.espresso.net` where a client compiles an `_ANEModel`.",
        "Write `model.mil` and `weights/` under the folder named by the model's hash before compiling.",
        "DEC; AG appC; SEED experiment M" High;
    Ane 17 "ane/error-17" "model identifier not found",
        "The daemon has no program under that identifier: unloaded, purged or never loaded.",
        "Load the model again.",
        "DEC; AG appC" High;
    Ane 18 "ane/error-18" "base model identifier not found",
        "A new instance (weight adapter) was asked of a model that is not loaded.",
        "Load the base model first. Weight adapters need an entitlement besides.",
        "DEC; AG appC" High;
    Ane 19 "ane/error-19" "the cache identifier must be nil",
        "`loadModelNewInstance:` was given a model with a cache URL identifier.",
        "Make the model without one.",
        "DEC; AG appC" High;
    Ane 20 "ane/error-20" "invalid model instance",
        "The instance parameters do not fit the base model.",
        "Check the names of procedures and weight symbols against the model's attributes.",
        "DEC; AG appC" High;
    Ane 21 "ane/error-21" "a new instance could not be loaded",
        "`loadModelNewInstance:` failed: without the entitlement for adapter weights it always does.",
        "Pass what changes as inputs of the program instead.",
        "DEC; AG appC" High;
    Ane 22 "ane/error-22" "the host is too old for the guest",
        "In a virtual machine: the interface between guest and host has another version.",
        "Update the host, or run on the machine itself.",
        "DEC; AG appC; two factory methods share the code" High;
    Ane 23 "ane/error-23" "program not found during inference",
        "The request names a program that the driver no longer has.",
        "Load the model again; after a failed request, in a new process.",
        "DEC; AG appC" High;
    Ane 24 "ane/error-24" "data not found",
        "Something the call needs (weights, a network description) is nil or empty.",
        "Pass an empty dictionary, not nil, where there are no weights.",
        "DEC; AG appC; OR for the dictionary" High;
    Ane 25 "ane/error-25" "not supported",
        "The call is not available on this machine or system.",
        "Take another of the four paths.",
        "DEC; AG appC" High;
    Ane 26 "ane/error-26" "bad argument",
        "An argument is nil or of another class than the method expects.",
        "Compare with the method's types: MIL text is `NSData`, options are a dictionary, indices are arrays of `NSNumber`.",
        "DEC; AG appC" High;
    Ane 27 "ane/error-27" "virtualisation error",
        "One of 27 to 29: data, host or kernel of a virtual machine. Which is which is not known.",
        "Run on the machine itself: the virtual client is closed to third parties.",
        "DEC; AG appC" Low;
    Ane 28 "ane/error-28" "virtualisation error, second kind",
        "One of 27 to 29: data, host or kernel of a virtual machine. Which is which is not known.",
        "Run on the machine itself: the virtual client is closed to third parties.",
        "DEC; AG appC" Low;
    Ane 29 "ane/error-29" "virtualisation error, third kind",
        "One of 27 to 29: data, host or kernel of a virtual machine. Which is which is not known.",
        "Run on the machine itself: the virtual client is closed to third parties.",
        "DEC; AG appC" Low;
};
