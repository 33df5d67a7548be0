//! Writing packages and bare models.

use super::flexible::FLEXIBLE_SHAPES;
use super::manifest::MODEL_PATH;
use super::proto::{self, argument::binding};
use super::{Manifest, describe, types, values};
use crate::blob::BlobWriter;
use crate::codes;
use crate::folder::{self, parent};
use crate::text::names::scoped_names;
use crate::weights::{Storage, store};
use mil_base::{Arena, Diagnostic, Name, Opset};
use mil_ir::{Arg, Binding, Blob, BlockId, Function, NamedConstant, OpId, Program, ValueId};
use prost::Message;
use std::collections::BTreeMap;

/// The most bytes a `.mlmodel` file may have: the protobuf format's own limit.
const MAX_MODEL: usize = i32::MAX as usize;

/// What the model says about itself when it is written.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    /// 6 for iOS 15; raised to what the functions' op sets need.
    pub specification_version: i32,
    /// May the model be trained on a device?
    pub is_updatable: bool,
    /// The description. If it names other inputs or outputs than the program has, a new one is made and only the
    /// metadata is kept.
    pub model: &'a proto::ModelDescription,
}

/// A package as files, by their path in it.
#[derive(Debug)]
pub struct Written {
    /// Small files, whole.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Weight files, to be streamed.
    pub weights: BTreeMap<String, BlobWriter>,
    /// What could not be kept.
    pub warnings: Vec<Diagnostic>,
}

/// The files of an `.mlpackage`. The same program gives the same bytes.
///
/// Without `described` a description is made from the functions' signatures. Errors: those of [`store`] and
/// [`describe()`](super::describe()), `package/too-large`.
pub fn write(program: &Program, described: Option<Described<'_>>) -> Result<Written, Vec<Diagnostic>> {
    let mut warnings = Vec::new();
    let frame = frame(program, described, &mut warnings)?;
    let stored = store(program, Storage::Package { specification_version: frame.specification_version })?;
    let model = encode(frame, &stored.program)?;
    let mut weights = BTreeMap::new();
    for (path, writer) in stored.files {
        weights.insert(folder::resolve(parent(MODEL_PATH), &path).map_err(|d| vec![d])?, writer);
    }
    let manifest = Manifest::text(!weights.is_empty()).into_bytes();
    let files = BTreeMap::from([("Manifest.json".to_owned(), manifest), (MODEL_PATH.to_owned(), model)]);
    Ok(Written { files, weights, warnings })
}

/// The bytes of a bare `.mlmodel`, with every weight inside, and what could not be kept.
///
/// Errors: as for [`write()`].
pub fn write_model(
    program: &Program,
    described: Option<Described<'_>>,
) -> Result<(Vec<u8>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut warnings = Vec::new();
    let frame = frame(program, described, &mut warnings)?;
    let stored = store(program, Storage::Inline)?;
    Ok((encode(frame, &stored.program)?, warnings))
}

/// The model message without its program.
pub(crate) fn frame(
    program: &Program,
    described: Option<Described<'_>>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<proto::Model, Vec<Diagnostic>> {
    let description = match described {
        Some(d) if describe::fits(d.model, program) => d.model.clone(),
        Some(d) => {
            let warning = "the model's description names other inputs or outputs than its program: made anew";
            warnings.push(Diagnostic::warning(codes::PACKAGE_DESCRIPTION_RENEWED, warning));
            proto::ModelDescription { metadata: d.model.metadata.clone(), ..describe::describe(program)? }
        }
        None => describe::describe(program)?,
    };
    let opsets = program.functions.iter().filter_map(|(_, f)| Opset::parse(&f.opset));
    let needed = opsets.map(Opset::specification_version).max().unwrap_or(0);
    let stated = described.map_or(0, |d| d.specification_version);
    Ok(proto::Model {
        specification_version: stated.max(needed).max(describe::version_needed(&description)),
        description: Some(description),
        is_updatable: described.is_some_and(|d| d.is_updatable),
        ..Default::default()
    })
}

fn encode(mut model: proto::Model, program: &Program) -> Result<Vec<u8>, Vec<Diagnostic>> {
    let functions = program.functions.iter().map(|(_, f)| (f.name.to_string(), function(f, &program.blobs)));
    model.ml_program = Some(proto::Program {
        version: 1,
        functions: functions.collect(),
        doc_string: String::new(),
        attributes: attributes(&program.attributes, &program.blobs),
    });
    let length = model.encoded_len();
    if length > MAX_MODEL {
        let message =
            format!("the model would have {} MiB; a .mlmodel file holds at most 2048", length >> 20);
        let help = "write an .mlpackage, whose weights are in a file of their own";
        return Err(vec![Diagnostic::error(codes::PACKAGE_TOO_LARGE, message).help(help)]);
    }
    Ok(model.encode_to_vec())
}

fn function(f: &Function, blobs: &Arena<Blob>) -> proto::Function {
    // A protobuf name may be anything but empty.
    let writer = Writer { f, names: scoped_names(f, |n| !n.is_empty(), |n| format!("{n}_")), blobs };
    let opset = Opset::parse(&f.opset).map_or_else(|| f.opset.to_string(), |o| o.core_ml().to_owned());
    let mut body = writer.block(f.body);
    let inputs = std::mem::take(&mut body.inputs);
    // The shapes of inputs are said in the description.
    let stated: Vec<_> = f.attributes.iter().filter(|(n, _)| n != FLEXIBLE_SHAPES).cloned().collect();
    proto::Function {
        inputs,
        block_specializations: BTreeMap::from([(opset.clone(), body)]),
        opset,
        attributes: attributes(&stated, blobs),
    }
}

struct Writer<'a> {
    f: &'a Function,
    names: Vec<Name>,
    blobs: &'a Arena<Blob>,
}

impl Writer<'_> {
    /// Nesting is as deep as the program's own, which whoever read it has bounded.
    fn block(&self, id: BlockId) -> proto::Block {
        let block = &self.f.blocks[id];
        proto::Block {
            inputs: self.named_types(&block.params),
            outputs: block.results.iter().map(|v| self.names[v.index()].to_string()).collect(),
            operations: block.ops.iter().map(|&op| self.op(op)).collect(),
            attributes: BTreeMap::new(),
        }
    }

    fn op(&self, id: OpId) -> proto::Operation {
        let op = &self.f.ops[id];
        proto::Operation {
            r#type: op.name.to_string(),
            inputs: op.args.iter().map(|(name, arg)| (name.to_string(), self.argument(arg))).collect(),
            outputs: self.named_types(&op.outputs),
            blocks: op.blocks.iter().map(|&b| self.block(b)).collect(),
            attributes: attributes(&op.attributes, self.blobs),
        }
    }

    fn argument(&self, arg: &Arg) -> proto::Argument {
        let binding = |b: &Binding| match b {
            Binding::Value(v) => binding::Binding::Name(self.names[v.index()].to_string()),
            Binding::Constant(c) => binding::Binding::Value(values::write(c, self.blobs)),
        };
        let bindings = arg.0.iter().map(|b| proto::argument::Binding { binding: Some(binding(b)) });
        proto::Argument { arguments: bindings.collect() }
    }

    fn named_types(&self, ids: &[ValueId]) -> Vec<proto::NamedValueType> {
        let named = |&v: &ValueId| proto::NamedValueType {
            name: self.names[v.index()].to_string(),
            r#type: Some(types::write(&self.f.values[v].ty)),
        };
        ids.iter().map(named).collect()
    }
}

fn attributes(list: &[NamedConstant], blobs: &Arena<Blob>) -> BTreeMap<String, proto::Value> {
    list.iter().map(|(name, constant)| (name.to_string(), values::write(constant, blobs))).collect()
}
