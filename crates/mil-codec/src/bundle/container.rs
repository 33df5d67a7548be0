//! `coremldata.bin`: the model's description, as Core ML's loader reads it.
//!
//! The layout was read off files that Apple's compiler wrote, all little-endian: the kind of model as its field number in
//! `Model`, a format number, zeros, the length and bytes of a target, the specification version, zeros, the length and bytes
//! of a `ModelDescription` message. Then come, in an ML Program, for each function the kind again and 12 zeros; in a pipeline,
//! the number of its stages, the kind again and 4 zeros. Sources: `models/bundles` of the project's shared folder, and for
//! pipelines the bundles by `coremlc` 3600.25.1 in the crate `mlmodelc-export` 0.1.0 (`tests/pipeline-fixtures`).

use crate::codes;
use crate::package::{PipelineKind, proto, stage_name};
use mil_base::Diagnostic;
use prost::Message;

/// The field of `Model` that holds an ML Program.
const ML_PROGRAM: u32 = 502;
/// Zeros between format number and target of an ML Program.
const BEFORE_TARGET: usize = 20;
/// The same of a pipeline: a 1 stands among them.
const BEFORE_PIPELINE_TARGET: [u32; 5] = [0, 0, 0, 1, 0];
/// The format number of every pipeline seen; all were of specification version 9.
const PIPELINE_FORMAT: u32 = 1;
/// What every bundle of an ML Program is for.
const TARGET: &str = "generic";
/// Zeros between specification version and description.
const BEFORE_DESCRIPTION: usize = 28;
/// Zeros after each function's kind.
const AFTER_KIND: usize = 12;
/// Zeros after a pipeline's kind.
const AFTER_PIPELINE_KIND: usize = 4;

/// What a `coremldata.bin` says.
#[derive(Clone, PartialEq, Debug)]
pub struct Container {
    /// 6 for iOS 15, one more for each op set since.
    pub specification_version: i32,
    /// Inputs, outputs, states, functions and metadata. Apple's compiler states metadata even when there is none, except for the
    /// stages of a pipeline.
    pub description: proto::ModelDescription,
    /// What it says of a pipeline; nothing for an ML Program.
    pub pipeline: Option<PipelineContainer>,
}

/// What a `coremldata.bin` says of a pipeline only.
#[derive(Clone, PartialEq, Debug)]
pub struct PipelineContainer {
    /// Which pipeline it is.
    pub kind: PipelineKind,
    /// What it is for: [`pipeline_target`].
    pub target: String,
    /// How many stages it has.
    pub stages: u64,
}

/// The target of a pipeline whose stages have these specification versions: each in turn, then its own.
///
/// Seen for stages that are ML Programs. A stage that is a pipeline is taken to be stated like these: a guess.
pub fn pipeline_target(versions: impl IntoIterator<Item = i32>) -> String {
    let stages = versions.into_iter().enumerate();
    let stages: String = stages.map(|(at, v)| format!("{TARGET}.{}v{v}.0.0", stage_name(at))).collect();
    stages + TARGET
}

/// The bytes of a `coremldata.bin`.
pub fn write(container: &Container) -> Vec<u8> {
    let message = container.description.encode_to_vec();
    let version = u32::try_from(container.specification_version).unwrap_or(0);
    let mut out = Vec::with_capacity(message.len() + 128);
    let target = match &container.pipeline {
        None => {
            out.extend(ML_PROGRAM.to_le_bytes());
            out.extend(format_number(version).to_le_bytes());
            out.extend([0; BEFORE_TARGET]);
            TARGET
        }
        Some(pipeline) => {
            out.extend(pipeline.kind.field().to_le_bytes());
            out.extend(PIPELINE_FORMAT.to_le_bytes());
            out.extend(BEFORE_PIPELINE_TARGET.into_iter().flat_map(u32::to_le_bytes));
            &pipeline.target
        }
    };
    out.extend((target.len() as u64).to_le_bytes());
    out.extend(target.as_bytes());
    out.extend(version.to_le_bytes());
    out.extend([0; BEFORE_DESCRIPTION]);
    out.extend((message.len() as u64).to_le_bytes());
    out.extend(message);
    if let Some(pipeline) = &container.pipeline {
        out.extend(pipeline.stages.to_le_bytes());
        out.extend(pipeline.kind.field().to_le_bytes());
        out.extend([0; AFTER_PIPELINE_KIND]);
        return out;
    }
    for _ in 0..container.description.functions.len().max(1) {
        out.extend(ML_PROGRAM.to_le_bytes());
        out.extend([0; AFTER_KIND]);
    }
    out
}

/// The format number of the bundle of an ML Program: 9 was seen for version 9 and 5 for version 7. Those of the other versions
/// are a guess.
fn format_number(specification_version: u32) -> u32 {
    if specification_version < 8 { 5 } else { specification_version }
}

/// Reads the bytes of a `coremldata.bin` of an ML Program or a pipeline.
///
/// Error: `bundle/container`.
pub fn read(bytes: &[u8]) -> Result<Container, Diagnostic> {
    let broken = |what: &str| {
        Diagnostic::error(codes::BUNDLE_CONTAINER, format!("coremldata.bin {what}"))
            .help("copy the whole .mlmodelc folder again")
    };
    let mut rest = bytes;
    let short = || broken("ends too early");
    let kind = u32_at(&mut rest).ok_or_else(short)?;
    let pipeline = PipelineKind::ALL.into_iter().find(|pipeline| pipeline.field() == kind);
    if kind != ML_PROGRAM && pipeline.is_none() {
        return Err(broken(&format!("is of model kind {kind}, neither an ML Program nor a pipeline")));
    }
    u32_at(&mut rest).ok_or_else(short)?;
    skip(&mut rest, BEFORE_TARGET as u64).ok_or_else(short)?;
    let target = u64_at(&mut rest).ok_or_else(short)?;
    let target = skip(&mut rest, target).ok_or_else(short)?;
    let version = u32_at(&mut rest).ok_or_else(short)?;
    skip(&mut rest, BEFORE_DESCRIPTION as u64).ok_or_else(short)?;
    let length = u64_at(&mut rest).ok_or_else(short)?;
    let message = skip(&mut rest, length).ok_or_else(short)?;
    let description = proto::ModelDescription::decode(message)
        .map_err(|e| broken(&format!("holds no readable description: {e}")))?;
    let pipeline = match pipeline {
        None => None,
        Some(kind) => {
            let target = String::from_utf8_lossy(target).into_owned();
            let stages = u64_at(&mut rest).ok_or_else(short)?;
            Some(PipelineContainer { kind, target, stages })
        }
    };
    Ok(Container { specification_version: i32::try_from(version).unwrap_or(0), description, pipeline })
}

/// The bytes of `modelNames/coremldata.bin`: the names of a pipeline's stages.
pub(super) fn write_names<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> Vec<u8> {
    let mut out = (names.len() as u64).to_le_bytes().to_vec();
    for name in names {
        out.extend((name.len() as u64).to_le_bytes());
        out.extend(name.as_bytes());
    }
    out
}

/// The names in a `modelNames/coremldata.bin`, as far as they can be read.
pub(super) fn read_names(bytes: &[u8]) -> Vec<String> {
    let mut rest = bytes;
    let count = u64_at(&mut rest).unwrap_or(0);
    let name = |_| {
        let length = u64_at(&mut rest)?;
        String::from_utf8(skip(&mut rest, length)?.to_vec()).ok()
    };
    (0..count).map_while(name).collect()
}

fn skip<'b>(rest: &mut &'b [u8], n: u64) -> Option<&'b [u8]> {
    let (front, back) = rest.split_at_checked(usize::try_from(n).ok()?)?;
    *rest = back;
    Some(front)
}

fn u32_at(rest: &mut &[u8]) -> Option<u32> {
    skip(rest, 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(rest: &mut &[u8]) -> Option<u64> {
    skip(rest, 8)?.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Container {
        Container { specification_version: 9, description: Default::default(), pipeline: None }
    }

    fn pipeline() -> Container {
        let pipeline =
            PipelineContainer { kind: PipelineKind::Plain, target: pipeline_target([9, 9]), stages: 2 };
        Container { pipeline: Some(pipeline), ..program() }
    }

    #[test]
    fn a_cut_file_is_named_and_never_panics() {
        // The last bytes are not needed to read it.
        for (container, unread) in [(program(), 16), (pipeline(), 8)] {
            let whole = write(&container);
            assert_eq!(read(&whole).unwrap(), container);
            for n in 0..whole.len() - unread {
                assert_eq!(read(&whole[..n]).unwrap_err().code, "bundle/container", "{n}");
            }
            let mut vast = whole.clone();
            vast[0x1c..0x24].fill(0xff);
            assert_eq!(read(&vast).unwrap_err().code, "bundle/container");
        }
    }

    /// Head and tail of `weighted/expected.mlmodelc/coremldata.bin` among the fixtures of `mlmodelc-export`.
    #[test]
    fn a_pipeline_begins_and_ends_as_apple_s_compiler_writes_it() {
        let bytes = write(&pipeline());
        let head = [
            &[0xca, 0, 0, 0, 1, 0, 0, 0][..],
            &[0; 12],
            &[1, 0, 0, 0, 0, 0, 0, 0, 0x2f, 0, 0, 0, 0, 0, 0, 0],
            b"generic.model0v9.0.0generic.model1v9.0.0generic",
            &[9, 0, 0, 0],
            &[0; 28],
        ];
        assert!(bytes.starts_with(&head.concat()));
        assert!(bytes.ends_with(&[2, 0, 0, 0, 0, 0, 0, 0, 0xca, 0, 0, 0, 0, 0, 0, 0]));
    }

    #[test]
    fn names_of_stages_are_read_as_far_as_they_go() {
        let whole = write_names(["stage0", "köpf"].into_iter());
        assert_eq!(read_names(&whole), ["stage0", "köpf"]);
        assert_eq!(read_names(&whole[..whole.len() - 1]), ["stage0"]);
        assert_eq!(read_names(&[0xff; 16]), [""; 0]);
    }
}
