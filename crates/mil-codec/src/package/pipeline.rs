//! Pipelines: models that run one after another.

use super::{kind, proto};
use crate::codes;
use bytes::Bytes;
use mil_base::Diagnostic;
use prost::Message;

/// Which pipeline a model is. They run alike; the last stage of the first two is a classifier or a regressor.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum PipelineKind {
    /// It ends in a classifier.
    Classifier,
    /// It ends in a regressor.
    Regressor,
    /// Any other.
    #[default]
    Plain,
}

impl PipelineKind {
    /// Every kind.
    pub const ALL: [PipelineKind; 3] =
        [PipelineKind::Classifier, PipelineKind::Regressor, PipelineKind::Plain];

    /// The field of `Model` that holds it.
    pub fn field(self) -> u32 {
        match self {
            PipelineKind::Classifier => 200,
            PipelineKind::Regressor => 201,
            PipelineKind::Plain => 202,
        }
    }
}

/// A pipeline, its stages still encoded.
#[derive(Clone, PartialEq, Debug)]
pub struct Pipeline {
    /// Which pipeline it is.
    pub kind: PipelineKind,
    /// 6 for iOS 15, one more for each op set since.
    pub specification_version: i32,
    /// May its last stage be trained on a device?
    pub is_updatable: bool,
    /// Inputs, outputs and metadata of the whole.
    pub description: proto::ModelDescription,
    /// The stages in the order in which they run, each with its name and its `.mlmodel` bytes. A stage may be a pipeline again.
    pub stages: Vec<(String, Bytes)>,
}

/// The name of a stage that the pipeline gives none, from 0 on (`Model.proto`, message `Pipeline`); in a bundle the name of
/// every stage's folder.
pub fn stage_name(at: usize) -> String {
    format!("model{at}")
}

/// The pipeline in the bytes of a `.mlmodel` file; nothing if it holds another kind of model.
///
/// Errors: `blob/git-lfs-pointer`, `package/not-protobuf`, `package/no-program` for a pipeline without stages.
pub fn read_pipeline(bytes: &Bytes) -> Result<Option<Pipeline>, Diagnostic> {
    let Some(kind) = kind::pipeline(bytes)? else { return Ok(None) };
    let model = proto::Model::decode(bytes.clone()).map_err(|e| kind::not_protobuf(&e))?;
    let held = match kind {
        PipelineKind::Classifier => model.pipeline_classifier.and_then(|p| p.pipeline),
        PipelineKind::Regressor => model.pipeline_regressor.and_then(|p| p.pipeline),
        PipelineKind::Plain => model.pipeline,
    };
    let proto::Pipeline { models, names } = held.unwrap_or_default();
    if models.is_empty() {
        return Err(Diagnostic::error(codes::PACKAGE_NO_PROGRAM, "the pipeline has no models")
            .help("the file was cut off, or the pipeline was never filled"));
    }
    let mut names = names.into_iter();
    let name = |at| names.next().filter(|n| !n.is_empty()).unwrap_or_else(|| stage_name(at));
    let stages = (0..models.len()).map(name).zip(models.iter().cloned()).collect();
    Ok(Some(Pipeline {
        kind,
        specification_version: model.specification_version,
        is_updatable: model.is_updatable,
        description: model.description.unwrap_or_default(),
        stages,
    }))
}
