//! Pipelines: models that run one after another.

use super::{kind, proto};
use crate::codes;
use bytes::Bytes;
use mil_base::Diagnostic;
use prost::Message;

/// A pipeline, its stages still encoded.
#[derive(Clone, PartialEq, Debug)]
pub struct Pipeline {
    /// 6 for iOS 15, one more for each op set since.
    pub specification_version: i32,
    /// Inputs, outputs and metadata of the whole.
    pub description: proto::ModelDescription,
    /// The stages in the order in which they run, each with its name and its `.mlmodel` bytes.
    pub stages: Vec<(String, Bytes)>,
}

/// The pipeline in the bytes of a `.mlmodel` file; nothing if it holds another kind of model.
///
/// Errors: `blob/git-lfs-pointer`, `package/not-protobuf`, `package/no-program` for a pipeline without stages.
pub fn read_pipeline(bytes: &Bytes) -> Result<Option<Pipeline>, Diagnostic> {
    if !kind::is_pipeline(bytes)? {
        return Ok(None);
    }
    let model = proto::Model::decode(bytes.clone()).map_err(|e| kind::not_protobuf(&e))?;
    let of =
        [model.pipeline_classifier, model.pipeline_regressor].into_iter().flatten().find_map(|p| p.pipeline);
    let proto::Pipeline { models, names } = model.pipeline.or(of).unwrap_or_default();
    if models.is_empty() {
        return Err(Diagnostic::error(codes::PACKAGE_NO_PROGRAM, "the pipeline has no models")
            .help("the file was cut off, or the pipeline was never filled"));
    }
    let mut names = names.into_iter();
    let name = |at| names.next().filter(|n| !n.is_empty()).unwrap_or_else(|| format!("model{at}"));
    let stages = models.iter().enumerate().map(|(at, _)| at).map(name).zip(models.iter().cloned()).collect();
    Ok(Some(Pipeline {
        specification_version: model.specification_version,
        description: model.description.unwrap_or_default(),
        stages,
    }))
}
