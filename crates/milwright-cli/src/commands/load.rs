//! What several commands do first: open, check, load, and make the inputs.

use crate::args::{Inputs, Machine, RuntimeName, Source, WeightsName};
use crate::terminal::Terminal;
use anyhow::{Context, anyhow, bail};
use milwright::{
    AppleRuntime, Fill, HeldWeights, LoadOptions, Model, Opened, Pixels, Port, Random, Report, RuntimeKind,
    Sizing, Tensor,
};
use std::path::Path;

/// A model, or its mistakes are on stderr already.
pub(crate) enum Loading {
    Done(Box<Model>),
    Refused,
}

/// The hidden command that serves Apple's frameworks to this program.
pub(crate) const APPLE_WORKER: &str = "apple-worker";

/// The facade's options for the arguments given.
pub(crate) fn options(function: Option<&str>, machine: &Machine) -> LoadOptions {
    LoadOptions {
        function: function.map(str::to_owned),
        runtime: match machine.runtime {
            RuntimeName::Cpu => RuntimeKind::Cpu,
            RuntimeName::Reference => RuntimeKind::Reference,
            RuntimeName::Coreml => RuntimeKind::Apple(AppleRuntime::CoreMl),
            RuntimeName::Mle5 => RuntimeKind::Apple(AppleRuntime::Mle5),
            RuntimeName::E5rt => RuntimeKind::Apple(AppleRuntime::E5rt),
            RuntimeName::Ane => RuntimeKind::Apple(AppleRuntime::Ane),
        },
        threads: machine.threads,
        memory_limit: machine.memory_limit.map(|mib| mib.saturating_mul(1 << 20)),
        weights: match machine.weights {
            WeightsName::Compressed => HeldWeights::Compressed,
            WeightsName::Expanded => HeldWeights::Expanded,
        },
        worker: (!machine.in_process).then_some(&[APPLE_WORKER]),
    }
}

/// Opens, checks and loads; warnings and errors go to stderr.
pub(crate) fn model(source: &Source, machine: &Machine, terminal: &Terminal) -> Loading {
    let Some(opened) = opened(source, terminal) else { return Loading::Refused };
    let options = options(source.function.as_deref(), machine);
    let loaded = terminal.during("checking and planning", || {
        let (report, checked) = Report::check(opened.clone());
        match checked {
            Some(checked) => (report, Some(Model::with_checked(opened, checked, &options))),
            None => (report, None),
        }
    });
    let (report, model) = loaded;
    terminal.report(&report);
    match model {
        Some(Ok(model)) => Loading::Done(Box::new(model)),
        Some(Err(failure)) => {
            terminal.failure(&failure);
            Loading::Refused
        }
        None => Loading::Refused,
    }
}

/// Opens the program; its mistakes go to stderr.
pub(crate) fn opened(source: &Source, terminal: &Terminal) -> Option<Opened> {
    match terminal.during("reading", || milwright::open(&source.path)) {
        Ok(opened) => Some(opened),
        Err(failure) => {
            terminal.failure(&failure);
            None
        }
    }
}

/// Named tensors, and the seed if some are random.
pub(crate) struct Made {
    pub(crate) tensors: Vec<(String, Tensor)>,
    pub(crate) seed: Option<u64>,
}

/// Every input: as `--input` and `--inputs` say, else random.
pub(crate) fn inputs(model: &Model, args: &Inputs) -> anyhow::Result<Made> {
    let mut tensors = match &args.inputs {
        Some(path) => milwright::npz::load(path)?,
        None => Vec::new(),
    };
    let shapes = shapes(&args.shape)?;
    for (name, _) in &shapes {
        port(model, name)?;
    }
    let seed = args.seed.unwrap_or_else(milwright::fresh_seed);
    let mut random = Random::new(seed);
    let mut drawn = false;
    for spec in &args.input {
        let (name, value) =
            spec.split_once('=').ok_or_else(|| anyhow!("`--input {spec}` is not NAME=VALUE"))?;
        let port = port(model, name)?;
        if tensors.iter().any(|(n, _)| n == name) {
            bail!("input `{name}` is given twice");
        }
        let tensor = match value.parse::<Fill>() {
            Ok(fill) => {
                drawn |= fill == Fill::Random;
                fill.tensor(port.ty.dtype, &shape_of(port, &shapes), &mut random)
                    .with_context(|| format!("input `{name}` of shape {:?}", shape_of(port, &shapes)))?
            }
            Err(()) if value.ends_with(".npy") => milwright::npz::load_npy(value)?,
            Err(()) if is_image(value) => {
                let sizing = if args.resize { Sizing::Stretch } else { Sizing::Exact };
                let taken = model.image_input(name, &Pixels::read(value)?, sizing);
                taken.map_err(|d| milwright::Failure {
                    path: value.into(),
                    source: None,
                    diagnostics: vec![d],
                })?
            }
            Err(()) => bail!(
                "`--input {spec}`: a value is a .npy, .png or .jpg file, random, zeros, ones or a number; an .npz file goes to \
                 --inputs"
            ),
        };
        tensors.push((name.to_owned(), tensor));
    }
    for (name, shape) in &shapes {
        if let Some((_, tensor)) = tensors.iter().find(|(n, t)| n == name && t.shape() != shape) {
            bail!("`--shape` makes `{name}` {shape:?}, but what was given for it is {:?}", tensor.shape());
        }
    }
    for port in model.inputs() {
        if port.default.is_some() || tensors.iter().any(|(n, _)| *n == *port.name) {
            continue;
        }
        let shape = shape_of(port, &shapes);
        let tensor = random
            .tensor(port.ty.dtype, &shape)
            .with_context(|| format!("input `{}` of shape {shape:?}", port.name))?;
        tensors.push((port.name.to_string(), tensor));
        drawn = true;
    }
    Ok(Made { tensors, seed: drawn.then_some(seed) })
}

/// Does the name end as that of an image?
fn is_image(name: &str) -> bool {
    let ending = Path::new(name).extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|e| matches!(e.as_str(), "png" | "jpg" | "jpeg"))
}

fn port<'m>(model: &'m Model, name: &str) -> anyhow::Result<&'m Port> {
    let names: Vec<&str> = model.inputs().iter().map(|p| &*p.name).collect();
    let found = model.inputs().iter().find(|p| p.name == *name);
    found.ok_or_else(|| anyhow!("the function has no input `{name}`; its inputs are {}", names.join(", ")))
}

fn shape_of(port: &Port, given: &[(String, Vec<usize>)]) -> Vec<usize> {
    let given = given.iter().find(|(n, _)| *n == *port.name);
    given.map_or_else(|| port.usual_shape.clone(), |(_, shape)| shape.clone())
}

/// `NAME=1x128` as a name and sizes.
pub(crate) fn shapes(specs: &[String]) -> anyhow::Result<Vec<(String, Vec<usize>)>> {
    let parse = |spec: &String| {
        let (name, sizes) = spec.split_once('=')?;
        let sizes: Result<Vec<usize>, _> = sizes.split('x').map(str::parse).collect();
        Some((name.to_owned(), sizes.ok()?))
    };
    specs
        .iter()
        .map(|s| parse(s).ok_or_else(|| anyhow!("`--shape {s}` is not NAME=SIZES such as x=1x128")))
        .collect()
}
