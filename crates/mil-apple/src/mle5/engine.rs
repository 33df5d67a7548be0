//! From MIL text to an engine: the on-device compiler, the program library, and whichever initialiser this system's engine has.

use super::opaque::ProgramLibrary;
use crate::error::BridgeError;
use crate::objc::{AnyObject, Obj, Raised, alloc, ns, outcome, probe};
use crate::{send, tell};
use std::fmt;
use std::path::Path;

/// An initialiser of `MLE5Engine`. Its last arguments came with versions of the system; all of them are given as nil.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Initialiser {
    /// With default values and the compiler's version (macOS 15 and 26).
    Seven,
    /// With default values.
    Six,
    /// With neither.
    Five,
}

const SEVEN: &str = "-[MLE5Engine initWithProgramLibrary:modelDescription:configuration:functionName:classProbabilitiesFeatureName:optionalInputDefaultValues:compilerVersionInfo:]";
const SIX: &str = "-[MLE5Engine initWithProgramLibrary:modelDescription:configuration:functionName:classProbabilitiesFeatureName:optionalInputDefaultValues:]";
const FIVE: &str = "-[MLE5Engine initWithProgramLibrary:modelDescription:configuration:functionName:classProbabilitiesFeatureName:]";

impl Initialiser {
    /// The one that this system has; the longest first.
    ///
    /// Errors: `apple/missing-class`, or `apple/missing-selector` that names the longest.
    pub fn here() -> Result<Initialiser, BridgeError> {
        probe::class("MLE5Engine")?;
        let all = [(SEVEN, Initialiser::Seven), (SIX, Initialiser::Six), (FIVE, Initialiser::Five)];
        let found = all.iter().find(|(call, _)| probe::exists(call)).map(|(_, i)| *i);
        match found {
            Some(initialiser) => Ok(initialiser),
            None => probe::require(SEVEN, "@@:@@@@@@@").map(|()| Initialiser::Seven),
        }
    }
}

impl fmt::Display for Initialiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Initialiser::Seven => "seven arguments",
            Initialiser::Six => "six arguments",
            Initialiser::Five => "five arguments",
        })
    }
}

/// Compiles the MIL text at `text` and gives an `MLE5ProgramLibrary`. `container` may be nil.
///
/// The compiled handle belongs to the library's implementation, as far as is known.
/// Errors: the compiler's; it needs a cache below `~/Library/Caches/<program>` that can be written.
pub fn compile(
    text: &Path,
    container: Option<&AnyObject>,
    configuration: &AnyObject,
) -> Result<Obj, BridgeError> {
    let call =
        "-[MLE5ProgramLibraryOnDeviceAOTCompilationImpl initWithMILTextAtURL:container:configuration:]";
    let url = ns::file_url(text);
    let memory = alloc("MLE5ProgramLibraryOnDeviceAOTCompilationImpl")?;
    let compiler = send!("-[MLE5ProgramLibraryOnDeviceAOTCompilationImpl initWithMILTextAtURL:container:configuration:]",
        "@@:@@@",
        [memory, initWithMILTextAtURL: &*url, container: container, configuration: configuration] -> Option<Obj>)?;
    let compiler = compiler.ok_or(BridgeError::Null { call })?;

    let call = "-[MLE5ProgramLibraryOnDeviceAOTCompilationImpl createProgramLibraryHandleWithRespecialization:error:]";
    let mut error = Raised::none();
    let handle = tell!(call, "^{e5rt_program_library=}@:B^@",
        [&compiler, createProgramLibraryHandleWithRespecialization: objc2::runtime::Bool::NO, error: &mut error.0]
            -> *mut ProgramLibrary)?;
    outcome::done(call, !handle.is_null(), error.take())?;

    let call = "-[MLE5ProgramLibrary initWithImpl:container:configuration:]";
    let memory = alloc("MLE5ProgramLibrary")?;
    let library = send!("-[MLE5ProgramLibrary initWithImpl:container:configuration:]", "@@:@@@",
        [memory, initWithImpl: &*compiler, container: container, configuration: configuration] -> Option<Obj>)?;
    library.ok_or(BridgeError::Null { call })
}

/// An engine for a function of a library, prepared for one prediction at a time.
///
/// `description` is the host model's for that function. Errors: the engine's; it refuses names and shapes that differ from the
/// description.
pub fn make(
    initialiser: Initialiser,
    library: &AnyObject,
    description: &AnyObject,
    configuration: &AnyObject,
    function: &str,
) -> Result<Obj, BridgeError> {
    let name = ns::string(function);
    let memory = alloc("MLE5Engine")?;
    let none: Option<&AnyObject> = None;
    let engine = match initialiser {
        Initialiser::Seven => {
            send!("-[MLE5Engine initWithProgramLibrary:modelDescription:configuration:functionName:classProbabilitiesFeatureName:optionalInputDefaultValues:compilerVersionInfo:]",
                "@@:@@@@@@@",
                [memory, initWithProgramLibrary: library, modelDescription: description, configuration: configuration,
                    functionName: &*name, classProbabilitiesFeatureName: none, optionalInputDefaultValues: none,
                    compilerVersionInfo: none] -> Option<Obj>)
        }
        Initialiser::Six => {
            send!("-[MLE5Engine initWithProgramLibrary:modelDescription:configuration:functionName:classProbabilitiesFeatureName:optionalInputDefaultValues:]",
                "@@:@@@@@@",
                [memory, initWithProgramLibrary: library, modelDescription: description, configuration: configuration,
                    functionName: &*name, classProbabilitiesFeatureName: none, optionalInputDefaultValues: none]
                    -> Option<Obj>)
        }
        Initialiser::Five => {
            send!("-[MLE5Engine initWithProgramLibrary:modelDescription:configuration:functionName:classProbabilitiesFeatureName:]",
                "@@:@@@@@",
                [memory, initWithProgramLibrary: library, modelDescription: description, configuration: configuration,
                    functionName: &*name, classProbabilitiesFeatureName: none] -> Option<Obj>)
        }
    }?;
    let engine = engine.ok_or(BridgeError::Null { call: SEVEN })?;
    let call = "-[MLE5Engine prepareWithConcurrencyHint:error:]";
    let mut error = Raised::none();
    let ready = tell!(call, "B@:q^@",
        [&engine, prepareWithConcurrencyHint: 1i64, error: &mut error.0] -> bool)?;
    outcome::done(call, ready, error.take())?;
    Ok(engine)
}
