//! `coremldata.bin`: the model's description, as Core ML's loader reads it.
//!
//! The layout was read off files that Apple's compiler wrote (`models/bundles` of the project's shared folder), all
//! little-endian: the kind of model as its field number in `Model`, a format number, zeros, the length and bytes of a target,
//! the specification version, zeros, the length and bytes of a `ModelDescription` message, and for each function the kind
//! again and 12 zeros.

use crate::codes;
use crate::package::proto;
use mil_base::Diagnostic;
use prost::Message;

/// The field of `Model` that holds an ML Program.
const ML_PROGRAM: u32 = 502;
/// The fields of `Model` that hold pipelines. Their files are laid out the same up to the description.
const PIPELINES: std::ops::RangeInclusive<u32> = 200..=202;
/// Zeros between format number and target.
const BEFORE_TARGET: usize = 20;
/// What every bundle of an ML Program is for.
const TARGET: &[u8] = b"generic";
/// Zeros between specification version and description.
const BEFORE_DESCRIPTION: usize = 28;
/// Zeros after each function's kind.
const AFTER_KIND: usize = 12;

/// What a `coremldata.bin` says.
#[derive(Clone, PartialEq, Debug)]
pub struct Container {
    /// 6 for iOS 15, one more for each op set since.
    pub specification_version: i32,
    /// Inputs, outputs, states, functions and metadata.
    pub description: proto::ModelDescription,
}

/// The bytes of a `coremldata.bin`.
pub fn write(container: &Container) -> Vec<u8> {
    let mut description = container.description.clone();
    // Apple writes the metadata even when there is none.
    description.metadata.get_or_insert_default();
    let message = description.encode_to_vec();
    let version = u32::try_from(container.specification_version).unwrap_or(0);
    let mut out = Vec::with_capacity(message.len() + 128);
    out.extend(ML_PROGRAM.to_le_bytes());
    out.extend(format_number(version).to_le_bytes());
    out.extend([0; BEFORE_TARGET]);
    out.extend((TARGET.len() as u64).to_le_bytes());
    out.extend(TARGET);
    out.extend(version.to_le_bytes());
    out.extend([0; BEFORE_DESCRIPTION]);
    out.extend((message.len() as u64).to_le_bytes());
    out.extend(message);
    for _ in 0..description.functions.len().max(1) {
        out.extend(ML_PROGRAM.to_le_bytes());
        out.extend([0; AFTER_KIND]);
    }
    out
}

/// The format number of a bundle: 9 was seen for version 9 and 5 for version 7; others are taken to be like these.
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
    if kind != ML_PROGRAM && !PIPELINES.contains(&kind) {
        return Err(broken(&format!("is of model kind {kind}, neither an ML Program nor a pipeline")));
    }
    u32_at(&mut rest).ok_or_else(short)?;
    skip(&mut rest, BEFORE_TARGET as u64).ok_or_else(short)?;
    let target = u64_at(&mut rest).ok_or_else(short)?;
    skip(&mut rest, target).ok_or_else(short)?;
    let version = u32_at(&mut rest).ok_or_else(short)?;
    skip(&mut rest, BEFORE_DESCRIPTION as u64).ok_or_else(short)?;
    let length = u64_at(&mut rest).ok_or_else(short)?;
    let message = skip(&mut rest, length).ok_or_else(short)?;
    let description = proto::ModelDescription::decode(message)
        .map_err(|e| broken(&format!("holds no readable description: {e}")))?;
    Ok(Container { specification_version: i32::try_from(version).unwrap_or(0), description })
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

    #[test]
    fn a_cut_file_is_named_and_never_panics() {
        let whole = write(&Container { specification_version: 9, description: Default::default() });
        assert_eq!(read(&whole).unwrap().specification_version, 9);
        // The last 16 bytes are not needed to read it.
        for n in 0..whole.len() - 16 {
            assert_eq!(read(&whole[..n]).unwrap_err().code, "bundle/container", "{n}");
        }
        let mut vast = whole.clone();
        vast[0x1c..0x24].fill(0xff);
        assert_eq!(read(&vast).unwrap_err().code, "bundle/container");
    }
}
