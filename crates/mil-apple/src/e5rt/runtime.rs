//! The runtime: a session is a stream of one operation.

use super::api::Api;
use super::compile::{Devices, Program};
use super::stream::{Draft, OperationId, Stream};
use crate::codes;
use crate::error::BridgeError;
use crate::ports::Ports;
use mil_base::{Name, Tensor};
use mil_check::Checked;
use mil_ir::FunctionId;
use mil_run::{Loaded, Named, Placement, RunError, Runtime, Session};
use std::sync::Arc;

/// How programs are compiled and run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// The devices.
    pub devices: Devices,
    /// Outputs that are inputs of the next run, as (output, input): they share a buffer, so that nothing is copied. Such an input
    /// is zero at first; a run that gives it sets it.
    pub resident: Vec<(String, String)>,
}

/// The runtime.
#[derive(Clone, Debug)]
pub struct E5rt {
    api: Arc<Api>,
    options: Options,
}

const NAME: &str = crate::runtime_name!("e5rt");

impl E5rt {
    /// The runtime with options.
    ///
    /// Errors: a missing library or function.
    pub fn new(options: Options) -> Result<E5rt, BridgeError> {
        Ok(E5rt { api: Api::load()?, options })
    }
}

impl Runtime for E5rt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn load(&self, checked: Arc<Checked>, _: &mil_run::Options) -> Result<Arc<dyn Loaded>, RunError> {
        let program = Program::compile(&self.api, checked, self.options.devices)?;
        Ok(Arc::new(Ready { program, resident: self.options.resident.clone() }))
    }
}

struct Ready {
    program: Arc<Program>,
    resident: Vec<(String, String)>,
}

impl Loaded for Ready {
    fn runtime(&self) -> &'static str {
        NAME
    }

    fn placement(&self) -> Placement {
        self.program.devices().placement()
    }

    fn checked(&self) -> &Arc<Checked> {
        self.program.checked()
    }

    fn session(&self, function: Option<&str>) -> Result<Box<dyn Session>, RunError> {
        let id = mil_run::find_function(self.program.checked(), function)?;
        let name = self.program.checked().program().functions[id].name.clone();
        let ports = self.program.function(Some(&name))?.ports.clone();
        let mut draft = Draft::new(&self.program.api);
        let operation = draft.add(&self.program, Some(&name))?;
        for (output, input) in &self.resident {
            draft.connect((operation, output), (operation, input))?;
        }
        let resident = self.resident.iter().map(|(_, input)| Name::from(input.as_str())).collect();
        let checked = self.program.checked().clone();
        Ok(Box::new(E5rtSession { stream: draft.encode()?, operation, checked, id, ports, resident }))
    }
}

struct E5rtSession {
    stream: Stream,
    operation: OperationId,
    checked: Arc<Checked>,
    id: FunctionId,
    ports: Ports,
    resident: Vec<Name>,
}

impl Session for E5rtSession {
    fn run(&mut self, inputs: &[Named]) -> Result<Vec<Named>, RunError> {
        let mut all = inputs.to_vec();
        for name in &self.resident {
            if !all.iter().any(|(n, _)| n == name) {
                all.push((name.clone(), self.stream.read(self.operation, name)?));
            }
        }
        // For its diagnostics: everything that is wrong with what was given, at once.
        mil_run::match_inputs(&self.checked, self.id, &all)?;
        for (name, value) in inputs {
            self.stream.write(self.operation, name, value)?;
        }
        self.stream.run()?;
        let read = |name: &Name| Ok((name.clone(), self.stream.read(self.operation, name)?));
        self.ports.outputs.iter().map(|port| read(&port.name)).collect()
    }

    fn states(&self) -> Vec<Named> {
        let states = self.ports.states.iter().map(|port| &port.name);
        states.filter_map(|name| Some((name.clone(), self.stream.read(self.operation, name).ok()?))).collect()
    }

    fn set_state(&mut self, name: &str, value: &Tensor) -> Result<(), RunError> {
        if !self.ports.states.iter().any(|port| port.name == *name) {
            let names: Vec<&str> = self.ports.states.iter().map(|p| p.name.as_str()).collect();
            let help = match names.is_empty() {
                true => "the function has no states".to_owned(),
                false => format!("its states are {}", names.join(", ")),
            };
            return Err(BridgeError::refused(codes::UNSUPPORTED, format!("no state `{name}`"), help).into());
        }
        Ok(self.stream.write(self.operation, name, value)?)
    }
}
