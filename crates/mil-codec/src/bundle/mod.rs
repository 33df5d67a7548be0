//! Compiled bundles (`.mlmodelc`): MIL text, weights, and what the model says about itself.
//!
//! The program is `model.mil` at the bundle's root and its weights are found from there. What the model says about
//! itself is in `coremldata.bin`, and for people (with less detail) in `metadata.json`. Source: `facts/mil-blob-format.md`
//! section 5, and bundles that Apple's compiler wrote.

mod analytics;
mod container;
mod metadata;
mod pipeline;
mod schema;
mod statistics;
mod write;

pub use analytics::Source;
pub use container::{
    Container, PipelineContainer, pipeline_target, read as read_container, write as write_container,
};
pub use metadata::{Metadata, read as read_metadata};
pub use pipeline::{PipelineParts, Stage, stage_names, write as write_pipeline};
pub use write::{OpsetOf, write};

use crate::codes;
use crate::folder::Folder;
use crate::package::stage_name;
use bytes::Bytes;
use mil_base::Diagnostic;

/// The file with the program.
pub const PROGRAM: &str = "model.mil";

/// The file that says the rest.
pub const CONTAINER: &str = "coremldata.bin";

/// The file of a pipeline with the names of its stages, where they have names of their own.
pub const NAMES: &str = "modelNames/coremldata.bin";

/// The file with statistics of the model.
pub const ANALYTICS: &str = "analytics/coremldata.bin";

/// The file that says the rest for people.
pub const METADATA: &str = "metadata.json";

/// Files that only bundles of other kinds of model have, and what those are.
const OTHER_KINDS: &[(&str, &str)] = &[("model.espresso.net", "a neuralNetwork")];

/// The folders of the models in the bundle of a pipeline, in the order in which they run; none if it is another bundle.
pub fn stages(folder: &dyn Folder) -> Result<Vec<String>, Diagnostic> {
    let mut found = Vec::new();
    loop {
        let name = stage_name(found.len());
        if folder.file(&format!("{name}/{CONTAINER}"))?.is_none()
            && folder.file(&format!("{name}/{PROGRAM}"))?.is_none()
        {
            return Ok(found);
        }
        found.push(name);
    }
}

/// The text of the program in a bundle.
///
/// Errors: `bundle/not-ml-program` names another kind of model; `bundle/no-program`.
pub fn program_text(folder: &dyn Folder) -> Result<Bytes, Diagnostic> {
    if let Some(text) = folder.file(PROGRAM)? {
        return Ok(text);
    }
    for (file, kind) in OTHER_KINDS {
        if folder.file(file)?.is_some() {
            let message = format!("this bundle holds {kind}, not an ML Program (it has `{file}`)");
            return Err(Diagnostic::error(codes::BUNDLE_NOT_ML_PROGRAM, message)
                .help("Milwright reads ML Programs only; convert the model again as an ML Program"));
        }
    }
    Err(Diagnostic::error(codes::BUNDLE_NO_PROGRAM, format!("the bundle has no `{PROGRAM}`"))
        .help("copy the whole .mlmodelc folder; a bundle of another kind of model cannot be read"))
}
