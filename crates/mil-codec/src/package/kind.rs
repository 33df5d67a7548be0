//! What kind of model a `.mlmodel` file holds, found without decoding it.

use super::PipelineKind;
use crate::codes;
use mil_base::Diagnostic;
use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, skip_field};

/// The field of `Model` that holds an ML Program.
const ML_PROGRAM: u32 = 502;

/// Fields from here on hold the model itself; those below describe it.
const FIRST_KIND: u32 = 200;

/// Field numbers and names of the other kinds of model, from Core ML's `Model.proto` (facts/mil-blob-format.md, 3).
const KINDS: &[(u32, &str)] = &[
    (200, "pipelineClassifier"),
    (201, "pipelineRegressor"),
    (202, "pipeline"),
    (300, "glmRegressor"),
    (301, "supportVectorRegressor"),
    (302, "treeEnsembleRegressor"),
    (303, "neuralNetworkRegressor"),
    (304, "bayesianProbitRegressor"),
    (400, "glmClassifier"),
    (401, "supportVectorClassifier"),
    (402, "treeEnsembleClassifier"),
    (403, "neuralNetworkClassifier"),
    (404, "kNearestNeighborsClassifier"),
    (500, "neuralNetwork"),
    (501, "itemSimilarityRecommender"),
    (555, "customModel"),
    (556, "linkedModel"),
    (560, "classConfidenceThresholding"),
    (600, "oneHotEncoder"),
    (601, "imputer"),
    (602, "featureVectorizer"),
    (603, "dictVectorizer"),
    (604, "scaler"),
    (606, "categoricalMapping"),
    (607, "normalizer"),
    (609, "arrayFeatureExtractor"),
    (610, "nonMaximumSuppression"),
    (900, "identity"),
    (2000, "textClassifier"),
    (2001, "wordTagger"),
    (2002, "visionFeaturePrint"),
    (2003, "soundAnalysisPreprocessing"),
    (2004, "gazetteer"),
    (2005, "wordEmbedding"),
    (2006, "audioFeaturePrint"),
    (3000, "serializedModel"),
];

/// Which pipeline the model is, if it is one.
///
/// Errors: those of [`require_ml_program`] but `package/not-ml-program`.
pub(super) fn pipeline(bytes: &[u8]) -> Result<Option<PipelineKind>, Diagnostic> {
    let field = kind(bytes)?;
    Ok(PipelineKind::ALL.into_iter().find(|kind| Some(kind.field()) == field))
}

/// Checks that `bytes` are a model and that it is an ML Program.
///
/// Errors: `blob/git-lfs-pointer`, `package/not-protobuf`, `package/not-ml-program`, `package/no-program`.
pub(super) fn require_ml_program(bytes: &[u8]) -> Result<(), Diagnostic> {
    match kind(bytes)? {
        Some(ML_PROGRAM) => Ok(()),
        Some(field) => {
            let name = KINDS.iter().find(|(n, _)| *n == field).map_or("of an unknown kind", |(_, name)| name);
            Err(Diagnostic::error(
                codes::PACKAGE_NOT_ML_PROGRAM,
                format!("this model is not an ML Program but {name} (field {field} of Model)"),
            )
            .help("Milwright reads ML Programs and pipelines of them; convert again with `convert_to=\"mlprogram\"`"))
        }
        None => Err(Diagnostic::error(codes::PACKAGE_NO_PROGRAM, "the model file holds no model")
            .help("the file was cut off, or is not a `.mlmodel`")),
    }
}

/// The field of `Model` that holds the model itself.
fn kind(bytes: &[u8]) -> Result<Option<u32>, Diagnostic> {
    if bytes.starts_with(b"version https://git-lfs") {
        return Err(Diagnostic::error(
            codes::BLOB_GIT_LFS_POINTER,
            "the model file is a Git-LFS pointer, not the model itself",
        )
        .help("fetch the real file: run `git lfs pull` in the repository it came from"));
    }
    let mut found = None;
    let mut rest = bytes;
    while rest.has_remaining() {
        let field = next_field(&mut rest).map_err(|e| not_protobuf(&e))?;
        if field >= FIRST_KIND {
            found = Some(field);
        }
    }
    Ok(found)
}

/// The number of the next field, which is skipped.
fn next_field(rest: &mut &[u8]) -> Result<u32, prost::DecodeError> {
    let (tag, wire_type): (u32, WireType) = decode_key(rest)?;
    skip_field(wire_type, tag, rest, DecodeContext::default())?;
    Ok(tag)
}

/// The diagnostic for bytes that are no protobuf message.
pub(super) fn not_protobuf(error: &prost::DecodeError) -> Diagnostic {
    Diagnostic::error(codes::PACKAGE_NOT_PROTOBUF, format!("the model file cannot be decoded: {error}"))
        .help("the file was cut off, or is not a `.mlmodel`")
}
