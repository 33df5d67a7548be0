//! The protobuf of a `.mlmodel` file and the `.mlpackage` around it.
//!
//! [`read`] takes a package folder, [`read_model`] the bytes of a bare `.mlmodel`. Both keep the model's description
//! whole, so that a package that is read and written again says the same. Source: `facts/mil-blob-format.md`
//! sections 2 to 4.

mod describe;
mod flexible;
mod functions;
mod interface;
mod kind;
mod manifest;
mod pipeline;
pub mod proto;
mod types;
mod values;
mod write;

pub use describe::describe;
pub use flexible::FLEXIBLE_SHAPES;
pub use interface::{ArrayFeature, Colors, Feature, FeatureKind, Flexibility, ImageFeature, Interface};
pub use manifest::{Manifest, WEIGHTS_PATH};
pub use pipeline::{Pipeline, PipelineKind, read_pipeline, stage_name};
pub(crate) use write::frame;
pub use write::{Described, Written, write, write_model};

use crate::codes;
use crate::folder::{Folder, parent};
use crate::weights;
use bytes::Bytes;
use functions::Reader;
use mil_base::{Arena, Diagnostic, Place};
use mil_ir::{Origins, Program};
use prost::Message;

/// What a `.mlmodel` file holds.
#[derive(Clone, Debug)]
pub struct Package {
    /// The program.
    pub program: Program,
    /// 6 for iOS 15, one more for each op set since.
    pub specification_version: i32,
    /// May the model be trained on a device?
    pub is_updatable: bool,
    /// Inputs, outputs, states, functions and metadata, whole; [`Interface::of`] reads it.
    pub description: proto::ModelDescription,
    /// What was left out or looked odd, none of it an error.
    pub warnings: Vec<Diagnostic>,
}

impl Package {
    /// What the description says about a function.
    pub fn interface(&self, function: &str) -> Interface {
        Interface::of(&self.description, function)
    }
}

/// Reads the package in `folder`: its manifest, the model it names, and views of the weights.
///
/// Errors, all at once: those of [`Manifest::read`], [`read_model`] and [`weights::attach`], `package/missing-file`.
pub fn read(folder: &dyn Folder) -> Result<Package, Vec<Diagnostic>> {
    let one = |d| vec![d];
    let file = |path: &str| {
        folder.file(path)?.ok_or_else(|| {
            Diagnostic::error(codes::PACKAGE_MISSING_FILE, format!("the package has no file `{path}`"))
                .help("a package is a folder with Manifest.json in it; copy all of it")
        })
    };
    let manifest = Manifest::read(&file("Manifest.json").map_err(one)?).map_err(one)?;
    let model = manifest.root_path().map_err(one)?;
    let package = read_model(file(&model).map_err(one)?)?;
    with_weights(package, folder, parent(&model))
}

/// Sets the data of the package's blobs; `base` is the folder of the `.mlmodel` file inside `folder`.
pub fn with_weights(
    mut package: Package,
    folder: &dyn Folder,
    base: &str,
) -> Result<Package, Vec<Diagnostic>> {
    match weights::attach(&mut package.program, &Origins::default(), folder, base) {
        errors if errors.is_empty() => Ok(package),
        errors => Err(errors),
    }
}

/// Reads the bytes of a `.mlmodel` file. The data of blobs is not looked for.
///
/// Nesting is bounded by the protobuf decoder (100 messages deep), and memory by a small multiple of the bytes.
///
/// Errors, all at once: `package/not-ml-program` names any other kind of model; `package/not-protobuf`; the rest name
/// the op and argument.
pub fn read_model(bytes: Bytes) -> Result<Package, Vec<Diagnostic>> {
    kind::require_ml_program(&bytes).map_err(|d| vec![d])?;
    let model = proto::Model::decode(bytes).map_err(|e| vec![kind::not_protobuf(&e)])?;
    let description = model.description.unwrap_or_default();
    let program = model.ml_program.unwrap_or_default();

    let mut diagnostics = Vec::new();
    let mut blobs = Arena::new();
    let mut functions = Arena::new();
    let mut reader = Reader::new(&mut blobs, &mut diagnostics);
    let attributes = reader.attributes(&program.attributes, &Place::default());
    for (name, function) in &program.functions {
        if let Some(mut read) = reader.function(name, function) {
            read.attributes.retain(|(n, _)| n != FLEXIBLE_SHAPES);
            let flexible = flexible::attribute(&Interface::of(&description, name).inputs);
            read.attributes.extend(flexible.map(|constant| (FLEXIBLE_SHAPES.into(), constant)));
            functions.push(read);
        }
    }
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    Ok(Package {
        program: Program { version: (1, 3), attributes, functions, blobs },
        specification_version: model.specification_version,
        is_updatable: model.is_updatable,
        description,
        warnings: diagnostics,
    })
}
