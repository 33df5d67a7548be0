//! Opening a program by its kind.

use crate::codes;
use crate::disk::{self, Disk};
use crate::failure::Failure;
use crate::pipeline::{self, Opening, Pipeline};
use mil_base::{Diagnostic, Severity};
use mil_codec::folder::Folder;
use mil_codec::package::{self, Described, Interface, Manifest, PipelineKind, proto};
use mil_codec::{bundle, text, weights};
use mil_ir::{Origins, Program};
use std::path::{Path, PathBuf};

/// What a program was read from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// MIL text, with weights beside it where it says so.
    Text,
    /// A bare `.mlmodel`.
    Model,
    /// An `.mlpackage` folder.
    Package,
    /// A compiled `.mlmodelc` folder.
    Bundle,
}

/// A program that was read, not yet checked.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The file or folder it was read from.
    pub path: PathBuf,
    /// What that is.
    pub kind: Kind,
    /// The `.mlmodel` file in it, or that it is.
    pub model_file: Option<PathBuf>,
    /// The program. Its weights are views of mapped files.
    pub program: Program,
    /// Where its parts are in the text; empty without text.
    pub origins: Origins,
    /// The text, when it was read from text.
    pub source: Option<String>,
    /// What the model says about itself, whole; MIL text alone does not have it.
    pub description: Option<Description>,
    /// The models it was joined from, as they were read, if it is a pipeline.
    pub pipeline: Option<Pipeline>,
    /// What was left out or looked odd, none of it an error.
    pub warnings: Vec<Diagnostic>,
}

/// What a model says about itself.
#[derive(Clone, Debug)]
pub struct Description {
    /// 6 for iOS 15, one more for each op set since.
    pub specification_version: i32,
    /// May the model be trained on a device?
    pub is_updatable: bool,
    /// Inputs, outputs, states, functions and metadata.
    pub model: proto::ModelDescription,
}

impl Description {
    /// As writers take it.
    pub(crate) fn described(&self) -> Described<'_> {
        Described {
            specification_version: self.specification_version,
            is_updatable: self.is_updatable,
            model: &self.model,
        }
    }
}

impl Opened {
    /// What the description says about a function; nothing for programs without a description.
    pub fn interface(&self, function: &str) -> Option<Interface> {
        self.description.as_ref().map(|d| Interface::of(&d.model, function))
    }

    /// The function that runs when none is named: what the description says, else `main` or the only one.
    pub fn default_function(&self) -> Option<mil_ir::FunctionId> {
        let named =
            self.description.as_ref().and_then(|d| self.program.function(&d.model.default_function_name));
        named.or_else(|| self.program.default_function())
    }
}

/// How to open a program.
#[derive(Clone, Copy, Default, Debug)]
pub struct OpenOptions {
    /// Go on without weights that are missing or wrong: they become warnings, and the program can be looked at but
    /// not run.
    pub tolerate_missing_weights: bool,
}

/// Opens the program at `path`, whatever its kind: folders are known by what is in them, a file is MIL text if its
/// name ends in `.mil` or it begins with `program`, else an `.mlmodel`.
///
/// Files stay mapped while the program is in use: do not overwrite them in place.
pub fn open(path: impl AsRef<Path>) -> Result<Opened, Failure> {
    open_with(path, &OpenOptions::default())
}

/// [`open`] with options.
pub fn open_with(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Opened, Failure> {
    let path = path.as_ref();
    if path.is_dir() { open_folder(path, options) } else { open_file(path, options) }
}

/// Reads a program from MIL text that is in no file; `path` is what it is called in messages, and weights are looked
/// for in `folder`.
pub fn open_text(
    path: impl AsRef<Path>,
    source: String,
    folder: impl AsRef<Path>,
    options: &OpenOptions,
) -> Result<Opened, Failure> {
    let path = path.as_ref();
    let folder = Disk::new(folder.as_ref());
    from_text(path, Kind::Text, source, &Place { folder: &folder, base: "" }, options)
}

fn open_folder(path: &Path, options: &OpenOptions) -> Result<Opened, Failure> {
    let one = |d| Failure::one(path, d);
    let folder = Disk::new(path);
    if let Some(manifest) = folder.file("Manifest.json").map_err(one)? {
        let model = Manifest::read(&manifest).and_then(|m| m.root_path()).map_err(one)?;
        let bytes = folder.file(&model).map_err(one)?.ok_or_else(|| {
            one(Diagnostic::error(
                mil_codec::codes::PACKAGE_MISSING_FILE,
                format!("the package has no file `{model}`"),
            )
            .help("the manifest names a model that is not there; copy the whole package"))
        })?;
        let place = Place { folder: &folder, base: mil_codec::folder::parent(&model) };
        let opened = from_any_model(path, Kind::Package, bytes, &place, options)?;
        return Ok(Opened { model_file: Some(path.join(&model)), ..opened });
    }
    let bundle_like =
        path.extension().is_some_and(|e| e == "mlmodelc") || path.join("coremldata.bin").exists();
    if bundle_like || path.join(bundle::PROGRAM).exists() {
        return open_bundle(path, &folder, Opening::outermost(options));
    }
    Err(one(Diagnostic::error(
        codes::FILE_UNKNOWN_FOLDER,
        "this folder is neither a package nor a compiled bundle",
    )
    .help("an .mlpackage has Manifest.json in it, an .mlmodelc has model.mil")))
}

pub(crate) fn open_bundle(path: &Path, folder: &Disk, opening: Opening<'_>) -> Result<Opened, Failure> {
    let one = |d| Failure::one(path, d);
    let stages = bundle::stages(folder).map_err(one)?;
    if !stages.is_empty() && !path.join(bundle::PROGRAM).exists() {
        return pipeline::from_bundle(path, folder, &stages, opening);
    }
    let text = bundle::program_text(folder).map_err(one)?;
    let source = utf8(&text).map_err(one)?;
    let (root, base) = pipeline_of(path).unwrap_or_else(|| (path, String::new()));
    let place = Place { folder: &Disk::new(root), base: &base };
    let mut opened = from_text(path, Kind::Bundle, source, &place, opening.options)?;
    let found = bundle_description(folder);
    opened.description = found.description;
    opened.warnings.extend(found.warnings);
    Ok(opened)
}

/// What was found out about the model in a bundle.
pub(crate) struct BundleDescription {
    pub(crate) description: Option<Description>,
    /// Which pipeline it is, if it says so.
    pub(crate) pipeline: Option<PipelineKind>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// What a bundle says about its model: whole in `coremldata.bin`, else as far as `metadata.json` says it. The program is whole
/// without either, so what is wrong with them are warnings.
pub(crate) fn bundle_description(folder: &Disk) -> BundleDescription {
    let mut warnings = Vec::new();
    let mut warn = |d: Diagnostic| warnings.push(Diagnostic { severity: Severity::Warning, ..d });
    let described =
        |specification_version, model| Description { specification_version, is_updatable: false, model };
    let container =
        folder.file(bundle::CONTAINER).and_then(|f| f.map(|b| bundle::read_container(&b)).transpose());
    let container = container.unwrap_or_else(|d| {
        warn(d);
        None
    });
    let pipeline = container.as_ref().and_then(|c| c.pipeline.as_ref()).map(|p| p.kind);
    let found = container.map(|c| described(c.specification_version, c.description));
    let description = found.or_else(|| {
        let json =
            folder.file(bundle::METADATA).and_then(|f| f.map(|b| bundle::read_metadata(&b)).transpose());
        match json {
            Ok(found) => found.map(|m| described(m.specification_version, m.description)),
            Err(d) => {
                warn(d);
                None
            }
        }
    });
    BundleDescription { description, pipeline, warnings }
}

/// The pipeline bundle that the bundle at `path` is a part of, the outermost if they nest, and its path there. Such a part may
/// keep its weights beside it, in the pipeline's own folder.
fn pipeline_of(path: &Path) -> Option<(&Path, String)> {
    let mut found: Option<(&Path, String)> = None;
    let mut part = path;
    while let Some(name) = part.file_name().and_then(|n| n.to_str()).filter(|n| n.starts_with("model"))
        && let Some(parent) = part.parent().filter(|p| p.join(bundle::CONTAINER).exists())
    {
        let inner = found.map_or_else(String::new, |(_, inner)| format!("/{inner}"));
        found = Some((parent, format!("{name}{inner}")));
        part = parent;
    }
    found
}

fn open_file(path: &Path, options: &OpenOptions) -> Result<Opened, Failure> {
    let one = |d| Failure::one(path, d);
    let bytes = disk::read(path).map_err(one)?;
    let place = Place { folder: &Disk::new(folder_of(path)), base: "" };
    let is_text =
        path.extension().is_some_and(|e| e == "mil") || bytes.trim_ascii_start().starts_with(b"program");
    if is_text {
        return from_text(path, Kind::Text, utf8(&bytes).map_err(one)?, &place, options);
    }
    let opened = from_any_model(path, Kind::Model, bytes, &place, options)?;
    Ok(Opened { model_file: Some(path.into()), ..opened })
}

/// An ML Program, or a pipeline of them.
fn from_any_model(
    path: &Path,
    kind: Kind,
    bytes: bytes::Bytes,
    place: &Place<'_>,
    options: &OpenOptions,
) -> Result<Opened, Failure> {
    match pipeline::from_model(path, kind, &bytes, place, Opening::outermost(options))? {
        Some(opened) => Ok(opened),
        None => from_model(path, kind, bytes, place, options),
    }
}

/// Where weights are looked for.
pub(crate) struct Place<'a> {
    folder: &'a Disk,
    base: &'a str,
}

fn from_text(
    path: &Path,
    kind: Kind,
    source: String,
    place: &Place<'_>,
    options: &OpenOptions,
) -> Result<Opened, Failure> {
    let mut read = text::read(&source);
    if !read.diagnostics.iter().any(Diagnostic::is_error) {
        let weights = weights::attach(&mut read.program, &read.origins, place.folder, place.base);
        read.diagnostics.extend(tolerated(weights, options));
    }
    if read.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(Failure { path: path.into(), source: Some(source), diagnostics: read.diagnostics });
    }
    Ok(Opened {
        path: path.into(),
        kind,
        model_file: None,
        program: read.program,
        origins: read.origins,
        source: Some(source),
        description: None,
        pipeline: None,
        warnings: read.diagnostics,
    })
}

pub(crate) fn from_model(
    path: &Path,
    kind: Kind,
    bytes: bytes::Bytes,
    place: &Place<'_>,
    options: &OpenOptions,
) -> Result<Opened, Failure> {
    let all = |diagnostics| Failure { path: path.into(), source: None, diagnostics };
    let mut read = package::read_model(bytes).map_err(all)?;
    let origins = Origins::default();
    let weights = weights::attach(&mut read.program, &origins, place.folder, place.base);
    read.warnings.extend(tolerated(weights, options));
    if read.warnings.iter().any(Diagnostic::is_error) {
        return Err(all(read.warnings));
    }
    Ok(Opened {
        path: path.into(),
        kind,
        model_file: None,
        program: read.program,
        origins,
        source: None,
        description: Some(Description {
            specification_version: read.specification_version,
            is_updatable: read.is_updatable,
            model: read.description,
        }),
        pipeline: None,
        warnings: read.warnings,
    })
}

/// What is wrong with weights, as warnings if that is tolerated.
fn tolerated(weights: Vec<Diagnostic>, options: &OpenOptions) -> impl Iterator<Item = Diagnostic> {
    let severity = if options.tolerate_missing_weights { Severity::Warning } else { Severity::Error };
    weights.into_iter().map(move |d| Diagnostic { severity, ..d })
}

/// The folder a file is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn utf8(bytes: &[u8]) -> Result<String, Diagnostic> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|e| {
        Diagnostic::error(
            "syntax/not-utf8",
            format!("the text is not UTF-8 from byte {} on", e.valid_up_to()),
        )
        .help("MIL text is UTF-8; a model in protobuf form is opened by the name `.mlmodel`")
    })
}
