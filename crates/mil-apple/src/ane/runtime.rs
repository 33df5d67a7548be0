//! The runtime: programs to loaded programs to sessions.

use super::binding::{self, Procedure};
use super::options::Options;
use super::program::Program;
use super::request::Request;
use super::route::evaluate;
use crate::error::BridgeError;
use crate::ground::GROUND;
use crate::objc::probe;
use crate::ports::Ports;
use crate::{runtime_name, stage};
use bytes::Bytes;
use mil_base::{Diagnostic, Tensor};
use mil_check::Checked;
use mil_ir::FunctionId;
use mil_run::{Claim, Ground, Loaded, Named, Placement, RunError, Runtime, Session};
use std::sync::Arc;

const NAME: &str = runtime_name!("ane");

/// Why no claim is made. The framework serves one device, and no fallback from it is on record; but none of its answers
/// says where a program ran, and no measurement of this path (energy, arithmetic) has been published with its results.
const UNPROVEN: &str = "AppleNeuralEngine.framework has no device to choose and no known fallback, but says nothing of where a program ran";

/// The runtime `ane`.
#[derive(Debug)]
pub struct Ane {
    options: Options,
}

impl Ane {
    /// With these options. Errors: a class that is not there.
    pub fn new(options: Options) -> Result<Ane, BridgeError> {
        for class in
            ["_ANEInMemoryModelDescriptor", "_ANEInMemoryModel", "_ANERequest", "_ANEIOSurfaceObject"]
        {
            probe::class(class)?;
        }
        Ok(Ane { options })
    }
}

impl Runtime for Ane {
    fn name(&self) -> &'static str {
        NAME
    }

    fn load(&self, checked: Arc<Checked>, _: &mil_run::Options) -> Result<Arc<dyn Loaded>, RunError> {
        Ok(Arc::new(LoadedAne::new(checked, &self.options)?))
    }
}

/// A program loaded into the engine's framework.
#[derive(Debug)]
pub struct LoadedAne {
    checked: Arc<Checked>,
    program: Arc<Program>,
    functions: Vec<(FunctionId, Arc<Function>)>,
    options: Options,
}

#[derive(Debug)]
struct Function {
    ports: Ports,
    procedure: Procedure,
}

impl LoadedAne {
    /// Compiles and loads a program, all its functions at once.
    pub fn new(checked: Arc<Checked>, options: &Options) -> Result<LoadedAne, RunError> {
        let ids = checked.program().functions.iter().map(|(id, _)| id);
        let mut all = Vec::new();
        let mut refused: Vec<Diagnostic> = Vec::new();
        for id in ids {
            match Ports::of(&checked, id) {
                Ok(ports) => {
                    refused.extend(binding::refusals(&ports));
                    all.push((id, ports));
                }
                Err(error) => refused.push(error.diagnostic()),
            }
        }
        if !refused.is_empty() {
            return Err(RunError::Refused(refused));
        }
        let program = Program::load(&stage::files(checked.program())?, options)?;
        let functions = all.into_iter().enumerate().map(|(position, (id, ports))| {
            let procedure = program.procedure(&ports, position)?;
            Ok((id, Arc::new(Function { ports, procedure })))
        });
        let functions = functions.collect::<Result<_, BridgeError>>()?;
        Ok(LoadedAne { checked, program, functions, options: options.clone() })
    }

    /// The program underneath, for experiments.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// A request of a function with surfaces of its own, for experiments.
    pub fn request(&self, function: Option<&str>) -> Result<(Ports, Request), RunError> {
        let (_, function) = self.function(function)?;
        Ok((function.ports.clone(), Request::new(&function.ports, &function.procedure)?))
    }

    fn function(&self, name: Option<&str>) -> Result<(FunctionId, Arc<Function>), RunError> {
        let id = mil_run::find_function(&self.checked, name)?;
        let found = self.functions.iter().find(|(f, _)| *f == id);
        let (_, function) =
            found.ok_or_else(|| RunError::Internal("a function was not loaded".to_owned()))?;
        Ok((id, function.clone()))
    }
}

impl Loaded for LoadedAne {
    fn runtime(&self) -> &'static str {
        NAME
    }

    fn placement(&self) -> Placement {
        Placement { ground: GROUND.unwrap_or(Ground::Double), claim: Claim::Unproven(UNPROVEN) }
    }

    fn checked(&self) -> &Arc<Checked> {
        &self.checked
    }

    fn session(&self, function: Option<&str>) -> Result<Box<dyn Session>, RunError> {
        let (id, function) = self.function(function)?;
        Ok(Box::new(AneSession {
            request: Request::new(&function.ports, &function.procedure)?,
            checked: self.checked.clone(),
            program: self.program.clone(),
            options: self.options.clone(),
            id,
            function,
        }))
    }
}

struct AneSession {
    checked: Arc<Checked>,
    program: Arc<Program>,
    options: Options,
    id: FunctionId,
    function: Arc<Function>,
    request: Request,
}

impl Session for AneSession {
    fn run(&mut self, inputs: &[Named]) -> Result<Vec<Named>, RunError> {
        let given = mil_run::match_inputs(&self.checked, self.id, inputs)?;
        let given: Vec<Tensor> = given.into_iter().map(|(_, tensor)| tensor).collect();
        self.request.write(&given)?;
        self.request.poison()?;
        let call = evaluate(self.program.model(), &mut self.request, self.options.route, self.options.qos)?;
        let ports = &self.function.ports.outputs;
        let results = self.request.read(ports, call)?;
        let tensor = |(port, bytes): (&crate::ports::Port, Vec<u8>)| {
            let tensor = Tensor::from_bytes(port.dtype, &port.shape, Bytes::from(bytes));
            let tensor = tensor.map_err(|_| RunError::Internal("an output of the wrong size".to_owned()))?;
            Ok((port.name.clone(), tensor))
        };
        ports.iter().zip(results).map(tensor).collect()
    }

    /// None: programs with states are refused.
    fn states(&self) -> Vec<Named> {
        Vec::new()
    }

    fn set_state(&mut self, name: &str, _: &Tensor) -> Result<(), RunError> {
        let refusal = BridgeError::refused(
            crate::codes::UNSUPPORTED,
            format!("there is no state `{name}`: programs in memory keep none"),
            "run it with `--runtime e5rt` or `coreml`",
        );
        Err(refusal.into())
    }
}
