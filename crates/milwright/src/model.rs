//! A program ready to run: checked, bound to a runtime, with its inputs described.

use crate::failure::Failure;
use crate::machine;
use crate::open::{Opened, open};
use crate::report::Report;
use mil_apple::BridgeError;
use mil_apple::worker::{Command, Isolated};
use mil_base::{Diagnostic, Name, Tensor, TensorType};
use mil_check::Checked;
use mil_codec::package::{FeatureKind, Interface};
use mil_ir::FunctionId;
use mil_run::{HeldWeights, Loaded, LoadedCpu, Options, Placement, Reference, RunError, Runtime};
use std::path::Path;
use std::sync::Arc;

/// Which runtime computes; the name says with which arithmetic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RuntimeKind {
    /// Planned, threaded, SIMD: fp16 ops compute in fp32 and round their result, fp32 ops compute in fp32.
    #[default]
    Cpu,
    /// f64 throughout: the definition.
    Reference,
    /// A way to Apple's frameworks on a Mac, or to their doubles; in a process of its own if [`LoadOptions::worker`]
    /// says how to start one.
    Apple(mil_apple::Kind),
}

/// How a program is loaded.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LoadOptions {
    /// The function to run; nothing means the default one.
    pub function: Option<String>,
    /// Which runtime computes.
    pub runtime: RuntimeKind,
    /// Threads; nothing means one a core.
    pub threads: Option<usize>,
    /// Bytes it may take; nothing means what the machine has available now.
    pub memory_limit: Option<u64>,
    /// How the cpu runtime holds compressed weights: results are the same, memory and time are not.
    pub weights: HeldWeights,
    /// Arguments with which this executable calls [`serve_worker`](crate::serve_worker): Apple's frameworks are then called
    /// in such a process. Nothing means in this one, which dies if they crash.
    pub worker: Option<&'static [&'static str]>,
}

/// An input, output or state of a function.
#[derive(Clone, PartialEq, Debug)]
pub struct Port {
    /// Its name.
    pub name: Name,
    /// Its type; sizes may be open.
    pub ty: TensorType,
    /// The value every element has when an input is left out that may be.
    pub default: Option<f64>,
    /// The shape an input has when nothing else is said: declared, from the description, or 1 for each open size.
    pub usual_shape: Vec<usize>,
}

/// A program ready to run. Sessions made from it share its constants and may run in parallel.
pub struct Model {
    opened: Arc<Opened>,
    checked: Arc<Checked>,
    function: FunctionId,
    engine: Engine,
    inputs: Vec<Port>,
}

/// A loaded program; the cpu runtime's own type offers more, such as looking at single steps.
#[derive(Clone)]
pub(crate) enum Engine {
    Cpu(LoadedCpu),
    Other(Arc<dyn Loaded>),
}

impl Engine {
    fn session(&self, function: &str) -> Result<Box<dyn mil_run::Session>, RunError> {
        match self {
            Engine::Cpu(loaded) => Loaded::session(loaded, Some(function)),
            Engine::Other(loaded) => loaded.session(Some(function)),
        }
    }
}

/// The runtime's options: what is not said comes from the machine.
pub(crate) fn run_options(options: &LoadOptions) -> Options {
    let limit = options.memory_limit.or_else(machine::available_memory);
    Options {
        threads: options.threads.unwrap_or_else(machine::cores).max(1),
        memory_limit: limit.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        weights: options.weights,
        ..Options::default()
    }
}

impl Model {
    /// Opens, checks and loads the program at `path`.
    pub fn load(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Model, Failure> {
        Model::new(open(path)?, options)
    }

    /// Checks and loads a program that was opened.
    pub fn new(opened: Opened, options: &LoadOptions) -> Result<Model, Failure> {
        let (report, checked) = Report::check(opened.clone());
        let Some(checked) = checked else { return Err(report.into_failure()) };
        Model::with_checked(opened, checked, options)
    }

    /// Loads a program that was checked.
    pub fn with_checked(
        opened: Opened,
        checked: Arc<Checked>,
        options: &LoadOptions,
    ) -> Result<Model, Failure> {
        let fail =
            |diagnostics| Failure { path: opened.path.clone(), source: opened.source.clone(), diagnostics };
        let function = match &options.function {
            Some(name) => checked.program().function(name),
            None => opened.default_function(),
        };
        let function =
            function.ok_or_else(|| fail(vec![no_function(&checked, options.function.as_deref())]))?;
        let run = run_options(options);
        let loaded = match options.runtime {
            RuntimeKind::Cpu => {
                Engine::Cpu(LoadedCpu::new(checked.clone(), &run).map_err(|e| fail(e.diagnostics()))?)
            }
            RuntimeKind::Reference => {
                Engine::Other(Reference.load(checked.clone(), &run).map_err(|e| fail(e.diagnostics()))?)
            }
            RuntimeKind::Apple(kind) => {
                let runtime = apple(kind, options.worker).map_err(|e| fail(vec![e.diagnostic()]))?;
                Engine::Other(runtime.load(checked.clone(), &run).map_err(|e| fail(e.diagnostics()))?)
            }
        };
        let inputs = ports(&opened, &checked, function);
        Ok(Model { opened: Arc::new(opened), checked, function, engine: loaded, inputs })
    }

    /// The program as it was read.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The program with its types.
    pub fn checked(&self) -> &Arc<Checked> {
        &self.checked
    }

    /// The function that runs.
    pub fn function(&self) -> FunctionId {
        self.function
    }

    /// The runtime's name, which says how it computes.
    pub fn runtime(&self) -> &'static str {
        match &self.engine {
            Engine::Cpu(loaded) => loaded.runtime(),
            Engine::Other(loaded) => loaded.runtime(),
        }
    }

    /// Where its sessions run, and how that is known.
    pub fn placement(&self) -> Placement {
        match &self.engine {
            Engine::Cpu(loaded) => loaded.placement(),
            Engine::Other(loaded) => loaded.placement(),
        }
    }

    /// The inputs, in the function's order.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The inputs as [`Session::run`] completes them.
    pub(crate) fn complete(&self, inputs: &[(String, Tensor)]) -> Vec<(Name, Tensor)> {
        complete(&self.inputs, inputs)
    }

    /// What went wrong in a run, with the places in the program's source.
    pub fn report(&self, error: &RunError) -> Report {
        let mut diagnostics = error.diagnostics();
        mil_check::locate(&mut diagnostics, self.checked.program(), &self.opened.origins);
        Report {
            path: self.opened.path.clone(),
            source: self.opened.source.clone(),
            program: Some(self.checked.shared_program()),
            diagnostics,
        }
    }

    /// A user of its own, with its states zero.
    pub fn session(&self) -> Result<Session, RunError> {
        let name = self.checked.program().functions[self.function].name.clone();
        let session = self.engine.session(&name)?;
        Ok(Session { session, engine: self.engine.clone(), name, inputs: self.inputs.clone() })
    }
}

/// A runtime of Apple's, in this process or in one that this executable serves with those arguments.
fn apple(kind: mil_apple::Kind, worker: Option<&[&str]>) -> Result<Box<dyn Runtime>, BridgeError> {
    let Some(arguments) = worker else { return mil_apple::runtime(kind) };
    if mil_apple::ground::GROUND.is_none() {
        return Err(BridgeError::NotHere { wanted: kind.name() });
    }
    let command = Command::this(arguments).map_err(|e| BridgeError::WorkerDied {
        during: "being started".to_owned(),
        how: format!("this executable cannot be found: {e}"),
    })?;
    Ok(Box::new(Isolated::new(kind, command)))
}

/// One user of a [`Model`]: predictions in sequence, with the states that live between them.
pub struct Session {
    session: Box<dyn mil_run::Session>,
    engine: Engine,
    name: Name,
    inputs: Vec<Port>,
}

impl Session {
    /// Runs the function once and gives every output by name, in the function's order.
    ///
    /// As Core ML does, an input of another float (or integer) type than declared is converted, and an optional
    /// input that is missing takes its default.
    pub fn run(&mut self, inputs: &[(String, Tensor)]) -> Result<Vec<(String, Tensor)>, RunError> {
        let given = complete(&self.inputs, inputs);
        let outputs = self.session.run(&given)?;
        Ok(outputs.into_iter().map(|(n, t)| (n.to_string(), t)).collect())
    }

    /// The states by name.
    pub fn states(&self) -> Vec<(String, Tensor)> {
        self.session.states().into_iter().map(|(n, t)| (n.to_string(), t)).collect()
    }

    /// Sets a state. Another float type than declared is converted.
    pub fn write_state(&mut self, name: &str, value: &Tensor) -> Result<(), RunError> {
        let declared = self.session.states().into_iter().find(|(n, _)| *n == *name).map(|(_, t)| t.ty());
        match declared {
            Some(ty) => self.session.set_state(name, &convert(value, &ty)),
            None => self.session.set_state(name, value),
        }
    }

    /// Sets every state to zero.
    pub fn reset(&mut self) -> Result<(), RunError> {
        if !self.session.states().is_empty() {
            self.session = self.engine.session(&self.name)?;
        }
        Ok(())
    }
}

/// The inputs in their declared types, with the defaults of those left out.
fn complete(ports: &[Port], inputs: &[(String, Tensor)]) -> Vec<(Name, Tensor)> {
    let mut given: Vec<(Name, Tensor)> = Vec::with_capacity(inputs.len());
    for (name, tensor) in inputs {
        let port = ports.iter().find(|p| *p.name == **name);
        given.push((Name::new(name), port.map_or_else(|| tensor.clone(), |p| convert(tensor, &p.ty))));
    }
    for port in ports {
        if let Some(value) = port.default
            && !given.iter().any(|(n, _)| *n == port.name)
            && let Ok(tensor) = filled(port, value)
        {
            given.push((port.name.clone(), tensor));
        }
    }
    given
}

/// The tensor in the declared dtype if both are floats or both integers and every value fits; else as it is.
fn convert(tensor: &Tensor, ty: &TensorType) -> Tensor {
    let (from, to) = (tensor.dtype(), ty.dtype);
    if from == to {
        return tensor.clone();
    }
    let converted = if from.is_float() && to.is_float() {
        Tensor::from_f64(to, tensor.shape(), &tensor.to_f64()).ok()
    } else if from.is_int() && to.is_int() {
        let values = tensor.to_i64();
        let (low, high) = to.int_range().unwrap_or((0, 0));
        let fits = values.iter().all(|&v| (low..=high).contains(&i128::from(v)));
        fits.then(|| Tensor::from_i64(to, tensor.shape(), &values).ok()).flatten()
    } else {
        None
    };
    converted.unwrap_or_else(|| tensor.clone())
}

fn filled(port: &Port, value: f64) -> Result<Tensor, mil_base::TensorError> {
    let count = mil_base::tensor::count(&port.usual_shape).ok_or(mil_base::TensorError::TooLarge)?;
    Tensor::from_f64(port.ty.dtype, &port.usual_shape, &vec![value; count])
}

/// The inputs of a function with what the description adds.
pub(crate) fn ports(opened: &Opened, checked: &Checked, id: FunctionId) -> Vec<Port> {
    let function = &checked.program().functions[id];
    let interface = opened.interface(&function.name);
    let flexible = mil_check::Flexibility::of(function);
    let port = |(value, name, declared): (mil_ir::ValueId, &Name, &mil_base::Type)| {
        let ty = checked.ty(id, value).unwrap_or(declared).as_tensor()?.clone();
        let (described, default) = described(interface.as_ref(), name);
        let declared_default = flexible.default_shape(name).map(<[usize]>::to_vec);
        let shape = declared_default.or_else(|| described.filter(|s| s.len() == ty.shape.rank()));
        let usual_shape = ty
            .shape
            .iter()
            .enumerate()
            .map(|(axis, dim)| {
                dim.known().unwrap_or_else(|| shape.as_ref().map_or(1, |s| s.get(axis).copied().unwrap_or(1)))
            })
            .collect();
        Some(Port { name: name.clone(), ty, default, usual_shape })
    };
    mil_run::inputs(function).filter_map(port).collect()
}

/// Default shape and default value that the description gives an input.
fn described(interface: Option<&Interface>, name: &str) -> (Option<Vec<usize>>, Option<f64>) {
    let Some(feature) = interface.and_then(|i| i.inputs.iter().find(|f| f.name == name)) else {
        return (None, None);
    };
    match &feature.kind {
        FeatureKind::MultiArray(array) => {
            (Some(array.shape.clone()), feature.optional.then(|| array.default.unwrap_or(0.0)))
        }
        FeatureKind::Image(image) => {
            (Some(vec![1, image.colors.channels(), image.height, image.width]), None)
        }
        _ => (None, None),
    }
}

pub(crate) fn no_function(checked: &Checked, wanted: Option<&str>) -> Diagnostic {
    let names: Vec<&str> = checked.program().functions.iter().map(|(_, f)| f.name.as_str()).collect();
    let listed = names.join(", ");
    match wanted {
        Some(name) => {
            Diagnostic::error("run/function-unknown", format!("the program has no function `{name}`"))
                .help(format!("its functions are: {listed}"))
        }
        None => Diagnostic::error("run/function-unknown", "no function is the default, and none was named")
            .help(format!("choose one with --function; the functions are: {listed}")),
    }
}
