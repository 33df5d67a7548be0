//! Pipelines of ML Programs, opened as one program.
//!
//! Core ML hands features from stage to stage by name: an input takes what the latest earlier stage gives under its name, or
//! else is an input of the pipeline, and element types are converted on the way. That is what linking does, so a pipeline
//! becomes one function, with the pipeline's own description. A stage may be a pipeline: Core ML's own validator
//! (`PipelineValidator.cpp` of coremltools) validates each stage as a model of any kind.

use crate::disk::Disk;
use crate::failure::Failure;
use crate::link::link;
use crate::open::{self, Description, Kind, OpenOptions, Opened, Place};
use bytes::Bytes;
use mil_base::Diagnostic;
use mil_codec::bundle::{self, PipelineParts, Stage};
use mil_codec::codes::PACKAGE_PIPELINE_DEPTH;
use mil_codec::package::{self, Described, PipelineKind};
use mil_passes::LinkOptions;
use std::path::Path;

/// Most pipelines within one another. A file of some bytes a level could ask for any number.
const MOST_LEVELS: usize = 16;

/// The stages of a program that was read from a pipeline.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Which pipeline it is.
    pub kind: PipelineKind,
    /// The stages in the order in which they run, with their names.
    pub stages: Vec<(String, Opened)>,
}

/// How a pipeline is opened.
#[derive(Clone, Copy)]
pub(crate) struct Opening<'a> {
    pub(crate) options: &'a OpenOptions,
    /// Pipelines around this one.
    pub(crate) depth: usize,
}

impl<'a> Opening<'a> {
    /// That of a model in no pipeline.
    pub(crate) fn outermost(options: &'a OpenOptions) -> Opening<'a> {
        Opening { options, depth: 0 }
    }

    fn within(self, path: &Path) -> Result<Opening<'a>, Failure> {
        let depth = self.depth + 1;
        if depth > MOST_LEVELS {
            let message = format!("pipelines lie more than {MOST_LEVELS} deep within one another");
            let help = "do not trust this file if you did not make it";
            return Err(Failure::one(path, Diagnostic::error(PACKAGE_PIPELINE_DEPTH, message).help(help)));
        }
        Ok(Opening { depth, ..self })
    }
}

/// The pipeline in a `.mlmodel`; nothing if it holds another kind of model.
///
/// Errors: those of opening and checking each stage, and of [`link`] for features that do not fit.
pub(crate) fn from_model(
    path: &Path,
    kind: Kind,
    bytes: &Bytes,
    place: &Place<'_>,
    opening: Opening<'_>,
) -> Result<Option<Opened>, Failure> {
    let Some(pipeline) = package::read_pipeline(bytes).map_err(|d| Failure::one(path, d))? else {
        return Ok(None);
    };
    let within = opening.within(path)?;
    let mut stages = Vec::with_capacity(pipeline.stages.len());
    for (name, bytes) in pipeline.stages {
        let path = path.join(&name);
        let stage = match from_model(&path, Kind::Model, &bytes, place, within)? {
            Some(stage) => stage,
            None => open::from_model(&path, Kind::Model, bytes, place, opening.options)?,
        };
        stages.push((name, stage));
    }
    let description = Description {
        specification_version: pipeline.specification_version,
        is_updatable: pipeline.is_updatable,
        model: pipeline.description,
    };
    let pipeline = Pipeline { kind: pipeline.kind, stages };
    joined(path, kind, pipeline, Some(description), Vec::new()).map(Some)
}

/// The pipeline whose stages are in these folders of a bundle.
///
/// Errors: as for [`from_model`].
pub(crate) fn from_bundle(
    path: &Path,
    folder: &Disk,
    folders: &[String],
    opening: Opening<'_>,
) -> Result<Opened, Failure> {
    let within = opening.within(path)?;
    let names = bundle::stage_names(folder, folders.len()).map_err(|d| Failure::one(path, d))?;
    let mut stages = Vec::with_capacity(folders.len());
    for (name, stage) in names.into_iter().zip(folders) {
        let stage = path.join(stage);
        stages.push((name, open::open_bundle(&stage, &Disk::new(&stage), within)?));
    }
    let found = open::bundle_description(folder);
    let pipeline = Pipeline { kind: found.pipeline.unwrap_or_default(), stages };
    joined(path, Kind::Bundle, pipeline, found.description, found.warnings)
}

/// The stages as one program.
fn joined(
    path: &Path,
    kind: Kind,
    mut pipeline: Pipeline,
    description: Option<Description>,
    mut warnings: Vec<Diagnostic>,
) -> Result<Opened, Failure> {
    warnings.extend(pipeline.stages.iter_mut().flat_map(|(_, stage)| std::mem::take(&mut stage.warnings)));
    let opened = match pipeline.stages.as_slice() {
        [(_, only)] => only.clone(),
        stages => {
            let outputs =
                description.as_ref().map(|d| d.model.output.iter().map(|f| f.name.clone()).collect());
            let options = LinkOptions { cast: true, outputs, ..LinkOptions::default() };
            let stages = stages.iter().map(|(_, stage)| stage.clone()).collect();
            let linked = link(stages, &[], &options).map_err(|reports| {
                let path = reports.first().map_or(path, |r| &r.path).to_path_buf();
                let diagnostics = reports.into_iter().flat_map(|r| r.diagnostics).collect();
                Failure { path, source: None, diagnostics }
            })?;
            warnings.extend(linked.warnings.into_iter().flat_map(|r| r.diagnostics));
            linked.opened
        }
    };
    let description = description.or(opened.description);
    let (path, pipeline) = (path.into(), Some(pipeline));
    Ok(Opened { path, kind, model_file: None, description, pipeline, warnings, ..opened })
}

/// A pipeline as it goes into a bundle.
pub(crate) fn parts<'a>(pipeline: &'a Pipeline, described: Described<'a>) -> PipelineParts<'a> {
    let stage = |stage: &'a Opened| {
        let described = stage.description.as_ref().map(Description::described);
        match (&stage.pipeline, described) {
            (Some(inner), Some(described)) => Stage::Pipeline(parts(inner, described)),
            _ => Stage::Program(&stage.program, described),
        }
    };
    let stages = pipeline.stages.iter().map(|(name, opened)| (name.as_str(), stage(opened))).collect();
    PipelineParts { kind: pipeline.kind, described, stages }
}
