//! Pipelines of ML Programs, opened as one program.
//!
//! Core ML hands features from stage to stage by name: an input takes what the latest earlier stage gives under its name, or
//! else is an input of the pipeline, and element types are converted on the way. That is what linking does, so a pipeline
//! becomes one function, with the pipeline's own description.

use crate::disk::Disk;
use crate::failure::Failure;
use crate::link::link;
use crate::open::{self, Description, Kind, OpenOptions, Opened, Place};
use bytes::Bytes;
use mil_base::Diagnostic;
use mil_codec::package::{self, Pipeline};
use mil_passes::LinkOptions;
use std::path::Path;

/// The pipeline in a `.mlmodel`; nothing if it holds another kind of model.
///
/// Errors: those of opening and checking each stage, and of [`link`] for features that do not fit.
pub(crate) fn from_model(
    path: &Path,
    kind: Kind,
    bytes: &Bytes,
    place: &Place<'_>,
    options: &OpenOptions,
) -> Result<Option<Opened>, Failure> {
    let Some(pipeline) = package::read_pipeline(bytes).map_err(|d| Failure::one(path, d))? else {
        return Ok(None);
    };
    let Pipeline { specification_version, description, stages } = pipeline;
    let mut opened = Vec::with_capacity(stages.len());
    for (name, bytes) in stages {
        let stage = open::from_model(&path.join(&name), Kind::Model, bytes, place, options)?;
        opened.push((name, stage));
    }
    let description = Description { specification_version, is_updatable: false, model: description };
    joined(path, kind, opened, Some(description), Vec::new()).map(Some)
}

/// The pipeline whose stages are these folders of a bundle.
///
/// Errors: as for [`from_model`].
pub(crate) fn from_bundle(
    path: &Path,
    folder: &Disk,
    stages: &[String],
    options: &OpenOptions,
) -> Result<Opened, Failure> {
    let mut opened = Vec::with_capacity(stages.len());
    for name in stages {
        let stage = path.join(name);
        opened.push((name.clone(), open::open_bundle(&stage, &Disk::new(&stage), options)?));
    }
    let (description, warnings) = open::bundle_description(folder);
    joined(path, Kind::Bundle, opened, description, warnings)
}

/// The stages as one program.
fn joined(
    path: &Path,
    kind: Kind,
    mut stages: Vec<(String, Opened)>,
    description: Option<Description>,
    mut warnings: Vec<Diagnostic>,
) -> Result<Opened, Failure> {
    warnings.extend(stages.iter_mut().flat_map(|(_, s)| std::mem::take(&mut s.warnings)));
    let opened = match stages.as_slice() {
        [(_, only)] => only.clone(),
        _ => {
            let models = stages.iter().map(|(_, stage)| stage.clone()).collect();
            let outputs =
                description.as_ref().map(|d| d.model.output.iter().map(|f| f.name.clone()).collect());
            let options = LinkOptions { cast: true, outputs, ..LinkOptions::default() };
            let linked = link(models, &[], &options).map_err(|reports| {
                let path = reports.first().map_or(path, |r| &r.path).to_path_buf();
                let diagnostics = reports.into_iter().flat_map(|r| r.diagnostics).collect();
                Failure { path, source: None, diagnostics }
            })?;
            warnings.extend(linked.warnings.into_iter().flat_map(|r| r.diagnostics));
            linked.opened
        }
    };
    let description = description.or(opened.description);
    Ok(Opened { path: path.into(), kind, model_file: None, description, warnings, stages, ..opened })
}
