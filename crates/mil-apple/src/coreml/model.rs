//! A program as a model of Core ML: written as a package, compiled, loaded for one of its functions.

use crate::error::BridgeError;
use crate::objc::{Obj, Raised, Shared, make, ns, outcome, probe};
use crate::send;
use crate::stage::Stage;
use mil_codec::package;
use mil_ir::Program;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Which devices Core ML may plan for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ComputeUnits {
    /// The processor.
    CpuOnly,
    /// Processor and graphics.
    CpuAndGpu,
    /// Whatever there is.
    #[default]
    All,
    /// Processor and Neural Engine (macOS 13).
    CpuAndNeuralEngine,
}

impl ComputeUnits {
    fn number(self) -> i64 {
        match self {
            ComputeUnits::CpuOnly => 0,
            ComputeUnits::CpuAndGpu => 1,
            ComputeUnits::All => 2,
            ComputeUnits::CpuAndNeuralEngine => 3,
        }
    }
}

/// A compiled model on disk (`.mlmodelc`), in a folder of ours that goes when this is dropped.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    stage: Stage,
}

impl Bundle {
    /// Writes `program` as a package and has Core ML compile it.
    ///
    /// Errors: what the package cannot say (`package/...`), and Core ML's own.
    pub fn compile(program: &Program) -> Result<Bundle, BridgeError> {
        let stage = Stage::new()?;
        let package = stage.path().join("program.mlpackage");
        write_package(program, &package)?;
        let url = ns::file_url(&package);
        let class = probe::class("MLModel")?;
        let mut error = Raised::none();
        let compiled = send!("+[MLModel compileModelAtURL:error:]", "@@:@^@",
            [class, compileModelAtURL: &*url, error: &mut error.0] -> Option<Obj>)?;
        let compiled = outcome::object("+[MLModel compileModelAtURL:error:]", compiled, error.take())?;
        let there = send!("-[NSURL path]", "@@:", [&*compiled, path] -> Option<Obj>)?;
        let there = PathBuf::from(ns::to_string(there.as_deref()));
        // Core ML compiles into the temporary directory and leaves it to us.
        let path = stage.path().join("program.mlmodelc");
        fs::rename(&there, &path).map_err(|e| failed(&there, &e))?;
        Ok(Bundle { path, stage })
    }

    /// The compiled model.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder beside it for other files.
    pub fn folder(&self) -> &Path {
        self.stage.path()
    }

    /// Loads it. `function` is for models of several functions (macOS 15); a model of one takes none.
    pub fn load(&self, units: ComputeUnits, function: Option<&str>) -> Result<Shared, BridgeError> {
        let configuration = configuration(units, function)?;
        let url = ns::file_url(&self.path);
        let class = probe::class("MLModel")?;
        let mut error = Raised::none();
        let model = send!("+[MLModel modelWithContentsOfURL:configuration:error:]", "@@:@@^@",
            [class, modelWithContentsOfURL: &*url, configuration: &*configuration, error: &mut error.0]
                -> Option<Obj>)?;
        // Its predictions are kept apart by a lock in `Predictor`; everything else is done by one thread.
        outcome::object("+[MLModel modelWithContentsOfURL:configuration:error:]", model, error.take())
            .map(Shared)
    }
}

/// An `MLModelConfiguration`.
pub fn configuration(units: ComputeUnits, function: Option<&str>) -> Result<Obj, BridgeError> {
    let configuration = make("MLModelConfiguration")?;
    send!("-[MLModelConfiguration setComputeUnits:]", "v@:q",
        [&*configuration, setComputeUnits: units.number()] -> ())?;
    if let Some(function) = function {
        let function = ns::string(function);
        send!("-[MLModelConfiguration setFunctionName:]", "v@:@",
            [&*configuration, setFunctionName: &*function] -> ())?;
    }
    Ok(configuration)
}

fn failed(path: &Path, error: &std::io::Error) -> BridgeError {
    BridgeError::Stage { path: path.display().to_string(), why: error.to_string() }
}

fn write_package(program: &Program, folder: &Path) -> Result<(), BridgeError> {
    let written = package::write(program, None).map_err(|all| {
        let first = all.into_iter().next();
        BridgeError::Refused(Box::new(first.unwrap_or_else(|| {
            mil_base::Diagnostic::error(crate::codes::STAGE, "the program cannot be written as a package")
        })))
    })?;
    let write = |name: &str, content: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>| {
        let path = folder.join(name);
        let mut put = || {
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            let mut out = BufWriter::new(File::create(&path)?);
            content(&mut out)?;
            out.flush()
        };
        put().map_err(|e| failed(&path, &e))
    };
    for (name, bytes) in &written.files {
        write(name, &mut |out| out.write_all(bytes))?;
    }
    for (name, weights) in &written.weights {
        write(name, &mut |mut out| weights.write_to(&mut out))?;
    }
    Ok(())
}
