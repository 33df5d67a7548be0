//! `analytics/coremldata.bin`: a few facts about the model, as lists of texts with their lengths before them.
//!
//! Core ML does not need it to load a model. The layout was read off files that Apple's compiler wrote.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Where a bundle comes from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The name of the model's file without its ending, which is also the name of the class that Xcode would generate.
    pub class_name: &'a str,
    /// The `.mlmodel` file: its name without the ending and its bytes. Without it the bundle does not say them.
    pub model: Option<(&'a str, &'a [u8])>,
}

/// The bytes of the file of an ML Program.
pub(super) fn program(model: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    section(&mut out, "NeuralNetworkModelDetails", &[("containsCustomLayer", "0"), ("modelDimension", "0")]);
    specification(&mut out, model);
    out
}

/// The bytes of the file of a pipeline.
pub(super) fn pipeline(stages: usize, model: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    section(&mut out, "PipelineModelDetails", &[("modelDimension", &stages.to_string())]);
    specification(&mut out, model);
    out
}

fn specification(out: &mut Vec<u8>, model: Option<(&str, &[u8])>) {
    if let Some((name, bytes)) = model {
        let hash = STANDARD.encode(Sha256::digest(bytes));
        section(out, "SpecificationDetails", &[("modelHash", &hash), ("modelName", name)]);
    }
}

fn section(out: &mut Vec<u8>, name: &str, entries: &[(&str, &str)]) {
    text(out, name);
    out.extend((entries.len() as u64).to_le_bytes());
    for (key, value) in entries {
        text(out, key);
        text(out, value);
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}
