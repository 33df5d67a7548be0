//! Compiled and loaded programs: one for each text with weights, compiles counted, with a pause after a failure.

use super::binding::{self, Procedure};
use super::model::{Descriptor, InMemoryModel};
use super::options::Options;
use crate::codes;
use crate::error::BridgeError;
use crate::objc::autoreleasepool;
use crate::ports::Ports;
use crate::stage::{Files, Stage};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Instant;

/// A loaded program. It is unloaded when the last user is gone.
#[derive(Debug)]
pub struct Program {
    model: InMemoryModel,
    options: Options,
    /// The framework reads the folder at times of its own, so it stays as long as the program.
    _stage: Stage,
}

#[derive(Default)]
struct Compiler {
    /// Programs by identifier.
    loaded: HashMap<String, Weak<Program>>,
    compiles: u32,
    failed: Option<Instant>,
}

/// One compile at a time: the service is one for the whole system, and a burst stalls it.
fn compiler() -> MutexGuard<'static, Compiler> {
    static COMPILER: OnceLock<Mutex<Compiler>> = OnceLock::new();
    COMPILER.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many programs this process has compiled, failures included.
pub fn compiles() -> u32 {
    compiler().compiles
}

impl Program {
    /// Compiles and loads; a program that this process has loaded is shared, one that the system holds compiled is not
    /// compiled again.
    ///
    /// Errors: `apple/compile-budget` when the process has compiled as many as it may; the compiler's own.
    pub fn load(files: &Files, options: &Options) -> Result<Arc<Program>, BridgeError> {
        autoreleasepool(|_| {
            let model = InMemoryModel::new(&Descriptor::new(files)?)?;
            let identifier = model.identifier()?;
            let mut compiler = compiler();
            if let Some(program) = compiler.loaded.get(&identifier).and_then(Weak::upgrade) {
                return Ok(program);
            }
            let stage = Stage::named(&identifier)?;
            files.write(stage.path())?;
            let held = model.is_compiled()? && load(&model, options).is_ok();
            if !held {
                compiler.compile(&model, options)?;
                load(&model, options)?;
            }
            let program = Arc::new(Program { model, options: options.clone(), _stage: stage });
            compiler.loaded.retain(|_, p| p.strong_count() > 0);
            compiler.loaded.insert(identifier, Arc::downgrade(&program));
            Ok(program)
        })
    }

    /// The model.
    pub fn model(&self) -> &InMemoryModel {
        &self.model
    }

    /// How to call a function, which is at `position` in the program.
    pub fn procedure(&self, ports: &Ports, position: usize) -> Result<Procedure, BridgeError> {
        autoreleasepool(|_| {
            let attributes = self.model.attributes()?;
            Ok(binding::procedure(attributes.as_deref(), ports, position))
        })
    }
}

impl Compiler {
    fn compile(&mut self, model: &InMemoryModel, options: &Options) -> Result<(), BridgeError> {
        if self.compiles >= options.budget {
            return Err(BridgeError::refused(
                codes::BUDGET,
                format!(
                    "this process has compiled {} programs for the Neural Engine, as many as it may",
                    self.compiles
                ),
                "run in a worker, which is restarted when that happens, or put several functions into one program",
            ));
        }
        if let Some(failed) = self.failed {
            thread::sleep(options.back_off.saturating_sub(failed.elapsed()));
        }
        self.compiles += 1;
        let result = model.compile(options.qos);
        self.failed = result.is_err().then(Instant::now);
        result
    }
}

/// Once more after a short wait, as others found necessary (facts 1.1).
fn load(model: &InMemoryModel, options: &Options) -> Result<(), BridgeError> {
    model.load(options.qos).or_else(|_| {
        thread::sleep(options.load_again_after);
        model.load(options.qos)
    })
}

impl Drop for Program {
    fn drop(&mut self) {
        autoreleasepool(|_| {
            // A program that does not unload goes with the process.
            let _ = self.model.unload(self.options.qos);
            if !self.options.keep_compiled {
                let _ = self.model.purge();
            }
        });
    }
}
