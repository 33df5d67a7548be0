//! The computer behind the doubles: a program read from disk as the frameworks read it, run by the `cpu` runtime.

use bytes::Bytes;
use mil_base::{DType, Diagnostic, Name, Tensor, TensorType, Type};
use mil_check::{Checked, Target};
use mil_codec::folder::{self, Folder};
use mil_codec::package::{self, Manifest};
use mil_codec::{text, weights};
use mil_ir::{Function, Origins, Program};
use mil_ops::OpSet;
use mil_run::{Loaded, LoadedCpu, Options, Session};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A tensor that goes in or out, with concrete sizes.
#[derive(Clone, PartialEq, Debug)]
pub struct Port {
    /// Its name in the program.
    pub name: Name,
    /// Its element type.
    pub dtype: DType,
    /// Its sizes.
    pub shape: Vec<usize>,
}

impl Port {
    /// Bytes of the packed tensor; nothing if they cannot be counted.
    pub fn bytes(&self) -> Option<usize> {
        self.dtype.bytes_for(mil_base::tensor::count(&self.shape)?)
    }
}

/// A function's ports, in the order of declaration.
#[derive(Clone, PartialEq, Debug)]
pub struct Signature {
    /// The function.
    pub name: Name,
    /// What goes in.
    pub inputs: Vec<Port>,
    /// What comes out.
    pub outputs: Vec<Port>,
    /// What stays between runs.
    pub states: Vec<Port>,
}

/// A program that compiled.
pub struct Compiled {
    checked: Arc<Checked>,
    loaded: LoadedCpu,
    /// Its functions.
    pub functions: Vec<Signature>,
}

struct Disk(PathBuf);

impl Folder for Disk {
    fn file(&self, path: &str) -> Result<Option<Bytes>, Diagnostic> {
        Ok(std::fs::read(self.0.join(path)).ok().map(Bytes::from))
    }
}

fn words(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|d| format!("{} [{}]", d.message, d.code)).collect::<Vec<_>>().join("; ")
}

fn errors(diagnostics: Vec<Diagnostic>) -> Result<(), String> {
    let errors: Vec<Diagnostic> = diagnostics.into_iter().filter(Diagnostic::is_error).collect();
    if errors.is_empty() { Ok(()) } else { Err(words(&errors)) }
}

impl Compiled {
    /// Reads and compiles a `.mil` file (its weights beside it), or a folder: a package, or one with `model.mil` in it.
    pub fn open(path: &Path) -> Result<Compiled, String> {
        if path.is_dir() && path.join("Manifest.json").exists() {
            return Compiled::package(path);
        }
        let file = if path.is_dir() { path.join("model.mil") } else { path.to_owned() };
        let source = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        Compiled::text(&source, file.parent().unwrap_or(Path::new(".")))
    }

    /// Compiles MIL text; `@model_path` is `folder`.
    pub fn text(source: &str, folder: &Path) -> Result<Compiled, String> {
        let mut read = text::read(source);
        errors(read.diagnostics)?;
        errors(weights::attach(&mut read.program, &read.origins, &Disk(folder.to_owned()), ""))?;
        Compiled::program(read.program)
    }

    fn package(path: &Path) -> Result<Compiled, String> {
        let disk = Disk(path.to_owned());
        let one = |d: Diagnostic| words(&[d]);
        let manifest = disk.file("Manifest.json").map_err(one)?.unwrap_or_default();
        let model = Manifest::read(&manifest).and_then(|m| m.root_path()).map_err(one)?;
        let bytes = disk.file(&model).map_err(one)?.ok_or_else(|| format!("no file `{model}`"))?;
        let mut read = package::read_model(bytes).map_err(|d| words(&d))?;
        let base = folder::parent(&model);
        errors(weights::attach(&mut read.program, &Origins::default(), &disk, base))?;
        Compiled::program(read.program)
    }

    fn program(program: Program) -> Result<Compiled, String> {
        let program = Arc::new(program);
        let checked = mil_check::check(program, &Origins::default(), &OpSet::standard(), Target::default())
            .map_err(|d| words(&d))?;
        let checked = Arc::new(checked);
        let functions = checked.program().functions.iter();
        let functions = functions.map(|(_, f)| signature(f)).collect::<Result<_, String>>()?;
        let loaded = LoadedCpu::new(checked.clone(), &Options::default()).map_err(|e| e.to_string())?;
        Ok(Compiled { checked, loaded, functions })
    }

    /// The program.
    pub fn checked(&self) -> &Arc<Checked> {
        &self.checked
    }

    /// A user of a function, with its states zero.
    pub fn session(&self, function: usize) -> Result<Running, String> {
        let signature = self.functions.get(function).ok_or("no such function")?.clone();
        let session = Loaded::session(&self.loaded, Some(&signature.name)).map_err(|e| e.to_string())?;
        Ok(Running { signature, session })
    }
}

fn port(name: &Name, ty: &TensorType) -> Result<Port, String> {
    let shape = ty.shape.sizes().ok_or_else(|| format!("`{name}` has an open size"))?;
    let port = Port { name: name.clone(), dtype: ty.dtype, shape };
    port.bytes().map(|_| port.clone()).ok_or_else(|| format!("`{name}` is larger than memory"))
}

fn signature(f: &Function) -> Result<Signature, String> {
    let tensor = |name: &Name, ty: &Type| match ty.as_tensor() {
        Some(ty) => port(name, ty),
        None => Err(format!("`{name}` is no tensor")),
    };
    let results = f.outputs().iter().map(|&v| tensor(&f.values[v].name, &f.values[v].ty));
    Ok(Signature {
        name: f.name.clone(),
        inputs: mil_run::inputs(f).map(|(_, n, ty)| tensor(n, ty)).collect::<Result<_, _>>()?,
        outputs: results.collect::<Result<_, _>>()?,
        states: mil_run::states(f).map(|(_, n, ty)| port(n, ty)).collect::<Result<_, _>>()?,
    })
}

/// A function in use.
pub struct Running {
    signature: Signature,
    session: Box<dyn Session>,
}

impl Running {
    /// The ports.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Runs once on packed bytes, inputs and outputs in the order of declaration.
    pub fn run(&mut self, inputs: &[&[u8]]) -> Result<Vec<Bytes>, String> {
        let named = self.signature.inputs.iter().zip(inputs).map(|(port, bytes)| {
            let tensor = Tensor::from_bytes(port.dtype, &port.shape, Bytes::copy_from_slice(bytes));
            tensor.map(|t| (port.name.clone(), t)).map_err(|e| format!("{e:?}"))
        });
        let named: Vec<_> = named.collect::<Result<_, String>>()?;
        let outputs = self.session.run(&named).map_err(|e| e.to_string())?;
        Ok(outputs.into_iter().map(|(_, t)| t.shared_bytes()).collect())
    }

    /// A state's packed bytes.
    pub fn state(&self, index: usize) -> Option<Bytes> {
        self.session.states().get(index).map(|(_, t)| t.shared_bytes())
    }

    /// Sets a state.
    pub fn set_state(&mut self, index: usize, bytes: &[u8]) -> Result<(), String> {
        let port = self.signature.states.get(index).ok_or("no such state")?;
        let value = Tensor::from_bytes(port.dtype, &port.shape, Bytes::copy_from_slice(bytes));
        let value = value.map_err(|e| format!("{e:?}"))?;
        self.session.set_state(&port.name, &value).map_err(|e| e.to_string())
    }
}
