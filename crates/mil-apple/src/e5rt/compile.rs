//! From a program to a library for chosen devices (calls 1 to 10).

use super::api::Api;
use super::boundary::{self, Boundary};
use super::handle::{Handle, c_string};
use crate::codes;
use crate::error::BridgeError;
use crate::ground::GROUND;
use crate::stage::{self, Stage};
use mil_check::Checked;
use mil_run::{Claim, Device, Ground, Placement};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Which devices a program may be compiled for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Devices {
    /// The Neural Engine or an error: mask 4, the only one that guarantees anything.
    #[default]
    NeuralEngine,
    /// The processor: mask 1.
    Cpu,
    /// The graphics processor: mask 2.
    Gpu,
    /// Whatever the system prefers, without a word about which: mask 7.
    Any,
}

impl Devices {
    /// The bits that the compiler's option takes.
    pub fn mask(self) -> u64 {
        match self {
            Devices::Cpu => 1,
            Devices::Gpu => 2,
            Devices::NeuralEngine => 4,
            Devices::Any => 7,
        }
    }

    /// What is known about where such a program runs.
    pub fn placement(self) -> Placement {
        let claim = match self {
            Devices::NeuralEngine => {
                Claim::Enforced { device: Device::NeuralEngine, by: "e5rt device mask 4" }
            }
            Devices::Cpu => Claim::Unproven(
                "e5rt device mask 1 asks for the processor; nobody has shown that it is a guarantee",
            ),
            Devices::Gpu => Claim::Unproven(
                "e5rt device mask 2 asks for the GPU; nobody has shown that it is a guarantee",
            ),
            Devices::Any => Claim::Unproven(
                "e5rt device mask 7 leaves the choice to the system, which falls back without a word",
            ),
        };
        Placement { ground: GROUND.unwrap_or(Ground::Double), claim }
    }
}

/// A compiled program.
#[derive(Debug)]
pub struct Program {
    pub(super) library: Handle,
    pub(super) boundary: Vec<Boundary>,
    pub(super) api: Arc<Api>,
    checked: Arc<Checked>,
    devices: Devices,
    /// The library may read its bundle and weights as long as it lives.
    _stage: Stage,
}

/// Held while a program is compiled or an operation is made: whether the compiler may be used by two threads at once, nobody says.
static SETUP: Mutex<()> = Mutex::new(());

/// Waits for its turn to compile or to make operations.
pub(super) fn setup() -> std::sync::MutexGuard<'static, ()> {
    SETUP.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Program {
    /// Compiles every function of a program.
    ///
    /// Inputs and outputs in fp32 whose only use is a cast from or to fp16 are cast by us instead, where the devices are
    /// the Neural Engine, which has no fp32 at its boundary; the rounding is the same.
    ///
    /// Errors: an open size; a program that the devices do not take (`apple/e5rt-status` with the compiler's reason).
    pub fn compile(
        api: &Arc<Api>,
        checked: Arc<Checked>,
        devices: Devices,
    ) -> Result<Arc<Program>, BridgeError> {
        let (program, boundary) = boundary::adapt(&checked, devices)?;
        let files = stage::files(&program)?;
        let stage = Stage::new()?;
        let path = files.write(stage.path())?;
        let cache = stage.path().join("cache");
        let made = std::fs::create_dir(&cache);
        made.map_err(|e| BridgeError::Stage { path: cache.display().to_string(), why: e.to_string() })?;
        let _turn = setup();
        let library = compile(api, &path, &cache, devices.mask()).map_err(|error| match devices {
            Devices::NeuralEngine => boundary::explained(error, &boundary),
            _ => error,
        })?;
        Ok(Arc::new(Program { library, boundary, api: api.clone(), checked, devices, _stage: stage }))
    }

    /// The program, as it was given.
    pub fn checked(&self) -> &Arc<Checked> {
        &self.checked
    }

    /// The devices it was compiled for.
    pub fn devices(&self) -> Devices {
        self.devices
    }

    /// The function of that name, or the default one.
    pub(super) fn function(&self, name: Option<&str>) -> Result<&Boundary, BridgeError> {
        let program = self.checked.program();
        let id = match name {
            Some(name) => program.function(name),
            None => program.default_function(),
        };
        id.and_then(|id| self.boundary.get(id.index())).ok_or_else(|| {
            let wanted = name.unwrap_or("main");
            let names: Vec<&str> = self.boundary.iter().map(|b| b.ports.function.as_str()).collect();
            BridgeError::refused(
                codes::UNSUPPORTED,
                format!("the program has no function `{wanted}`"),
                format!("its functions are {}", names.join(", ")),
            )
        })
    }
}

fn text(path: &Path) -> Result<std::ffi::CString, BridgeError> {
    let name = path.to_str().ok_or_else(|| BridgeError::Stage {
        path: path.display().to_string(),
        why: "the name is not UTF-8".into(),
    })?;
    c_string(name)
}

fn compile(api: &Api, path: &Path, cache: &Path, mask: u64) -> Result<Handle, BridgeError> {
    let (path, cache, segmenter) = (text(path)?, text(cache)?, c"graph");
    // SAFETY: live handles, C strings that outlive the calls, and out-pointers.
    unsafe {
        let config = Handle::new(
            "e5rt_e5_compiler_config_options_create",
            api.e5rt_e5_compiler_config_options_release,
            |out| api.e5rt_e5_compiler_config_options_create(out),
        )?;
        api.e5rt_e5_compiler_config_options_set_cache_bundle_location(config.raw(), cache.as_ptr())?;
        let compiler =
            Handle::new("e5rt_e5_compiler_create_with_config", api.e5rt_e5_compiler_release, |out| {
                api.e5rt_e5_compiler_create_with_config(out, config.raw())
            })?;
        let options =
            Handle::new("e5rt_e5_compiler_options_create", api.e5rt_e5_compiler_options_release, |out| {
                api.e5rt_e5_compiler_options_create(out)
            })?;
        api.e5rt_e5_compiler_options_set_compute_device_types_mask(options.raw(), mask)?;
        api.e5rt_e5_compiler_options_set_force_recompilation(options.raw(), 1)?;
        api.e5rt_e5_compiler_options_set_segmenter(options.raw(), segmenter.as_ptr())?;
        confirm_mask(api, &options, mask)?;
        Handle::new("e5rt_e5_compiler_compile", api.e5rt_program_library_release, |out| {
            api.e5rt_e5_compiler_compile(compiler.raw(), path.as_ptr(), options.raw(), out)
        })
    }
}

/// Reads the mask back: the claim about where the program runs rests on it alone.
///
/// # Safety
/// `options` are compiler options.
unsafe fn confirm_mask(api: &Api, options: &Handle, mask: u64) -> Result<(), BridgeError> {
    let mut found = 0;
    // SAFETY: as the caller promises, and an out-pointer.
    let asked =
        unsafe { api.e5rt_e5_compiler_options_get_compute_device_types_mask(options.raw(), &raw mut found) };
    match asked {
        Err(BridgeError::MissingSymbol { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(()) if found == mask => Ok(()),
        Ok(()) => Err(BridgeError::refused(
            codes::UNSUPPORTED,
            format!("the compiler was told the device mask {mask} and says {found}"),
            "please report it with the system's version: no claim about placement can be made",
        )),
    }
}
