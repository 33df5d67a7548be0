//! A pipeline as a compiled bundle: each stage in a folder of its own, and what the whole says about itself.
//!
//! Apple's compiler gives stages no `metadata.json` and counts their ops in that of the whole; read off the bundles that
//! `super::container` names, in which every stage is an ML Program. Guesses, for want of a bundle by Apple: a stage that is a
//! pipeline is laid out as a pipeline on its own, `modelType` nests likewise, and the names there of pipelines that end in a
//! classifier or regressor are those of their fields in `Model`.

use super::container::{self, Container, PipelineContainer};
use super::statistics::Statistics;
use super::write::{Compiled, OpsetOf, about, head, schemas, statistics};
use super::{ANALYTICS, CONTAINER, METADATA, NAMES, Source, analytics};
use crate::folder::{self, Folder};
use crate::package::{Described, PipelineKind, Written, stage_name};
use mil_base::Diagnostic;
use mil_ir::Program;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A pipeline to be written.
#[derive(Clone, Debug)]
pub struct PipelineParts<'a> {
    /// Which pipeline it is.
    pub kind: PipelineKind,
    /// What the whole says about itself.
    pub described: Described<'a>,
    /// The stages in the order in which they run, with their names.
    pub stages: Vec<(&'a str, Stage<'a>)>,
}

/// One stage of a pipeline.
#[derive(Clone, Debug)]
pub enum Stage<'a> {
    /// An ML Program, with what it says about itself.
    Program(&'a Program, Option<Described<'a>>),
    /// A pipeline again.
    Pipeline(PipelineParts<'a>),
}

/// The files of the `.mlmodelc` of a pipeline. Stages nest as deep as the caller has them.
///
/// Errors: those of [`write()`](super::write()) for each stage.
pub fn write(
    pipeline: &PipelineParts<'_>,
    source: &Source<'_>,
    opset_of: OpsetOf<'_>,
) -> Result<Written, Vec<Diagnostic>> {
    let mut compiled = compile(pipeline, "", source.model, opset_of)?;
    let description = &mut compiled.container.description;
    description.metadata.get_or_insert_default();
    let mut object =
        head(&compiled.container, compiled.kind, pipeline.described.is_updatable, source.class_name);
    let description = &compiled.container.description;
    schemas(&mut object, &description.input, &description.output, &description.state);
    let storage = compiled.statistics.storage_precision();
    statistics(&mut object, &compiled.statistics, storage);
    about(&mut object, description);
    let metadata = json!([object]);
    let files = &mut compiled.written.files;
    files.insert(METADATA.to_owned(), format!("{metadata:#}").into_bytes());
    files.insert(CONTAINER.to_owned(), container::write(&compiled.container));
    Ok(compiled.written)
}

/// A pipeline or one of its stages, ready.
struct Part {
    container: Container,
    /// Its `modelType`.
    kind: Value,
    statistics: Statistics,
    written: Written,
}

fn compile(
    pipeline: &PipelineParts<'_>,
    base: &str,
    model: Option<(&str, &[u8])>,
    opset_of: OpsetOf<'_>,
) -> Result<Part, Vec<Diagnostic>> {
    let one = |d| vec![d];
    let mut written = Written { files: BTreeMap::new(), weights: BTreeMap::new(), warnings: Vec::new() };
    let (mut kinds, mut versions, mut statistics) = (Vec::new(), Vec::new(), Statistics::default());
    for (at, (_, stage)) in pipeline.stages.iter().enumerate() {
        let base = folder::resolve(base, &stage_name(at)).map_err(one)?;
        let part = match stage {
            Stage::Pipeline(inner) => compile(inner, &base, None, opset_of)?,
            Stage::Program(program, described) => program_part(program, *described, &base, opset_of)?,
        };
        kinds.push(part.kind);
        versions.push(part.container.specification_version);
        statistics.add(&part.statistics);
        written.files.extend(part.written.files);
        written.weights.extend(part.written.weights);
        written.warnings.extend(part.written.warnings);
    }
    let stages = versions.len();
    let stated = pipeline.described.specification_version;
    let container = Container {
        specification_version: versions.iter().copied().max().unwrap_or(0).max(stated),
        description: pipeline.described.model.clone(),
        pipeline: Some(PipelineContainer {
            kind: pipeline.kind,
            target: container::pipeline_target(versions),
            stages: stages as u64,
        }),
    };
    let mut files =
        vec![(CONTAINER, container::write(&container)), (ANALYTICS, analytics::pipeline(stages, model))];
    let names = || pipeline.stages.iter().map(|(name, _)| *name);
    if names().enumerate().any(|(at, name)| name != stage_name(at)) {
        files.push((NAMES, container::write_names(names())));
    }
    for (path, bytes) in files {
        written.files.insert(folder::resolve(base, path).map_err(one)?, bytes);
    }
    let kind = json!({"name": type_name(pipeline.kind), "structure": kinds});
    Ok(Part { container, kind, statistics, written })
}

fn program_part(
    program: &Program,
    described: Option<Described<'_>>,
    base: &str,
    opset_of: OpsetOf<'_>,
) -> Result<Part, Vec<Diagnostic>> {
    let compiled = Compiled::new(program, described)?;
    Ok(Part {
        container: compiled.container.clone(),
        kind: json!({"name": "MLModelType_mlProgram"}),
        statistics: Statistics::of_all(&compiled.program, opset_of),
        written: compiled.files(base, None)?,
    })
}

fn type_name(kind: PipelineKind) -> &'static str {
    match kind {
        PipelineKind::Classifier => "MLModelType_pipelineClassifier",
        PipelineKind::Regressor => "MLModelType_pipelineRegressor",
        PipelineKind::Plain => "MLModelType_pipeline",
    }
}

/// The names of the stages of the pipeline in a bundle: those that the bundle gives, else those of their folders.
///
/// Errors: those of reading the file.
pub fn stage_names(folder: &dyn Folder, stages: usize) -> Result<Vec<String>, Diagnostic> {
    let own = folder.file(NAMES)?.map(|bytes| container::read_names(&bytes)).unwrap_or_default();
    let own = own.into_iter().map(Some).chain(std::iter::repeat(None));
    Ok(own.take(stages).enumerate().map(|(at, name)| name.unwrap_or_else(|| stage_name(at))).collect())
}
