//! A program as the files of a compiled bundle.

use super::analytics::{self, Source};
use super::container::{self, Container};
use super::schema::{features, flag};
use super::statistics::Statistics;
use super::{METADATA, PROGRAM};
use crate::blob::BlobWriter;
use crate::folder;
use crate::package::{self, Described, Written, proto};
use crate::text::{self, Options};
use crate::weights::{Storage, store};
use mil_base::{DType, Diagnostic, Name, Opset, Tensor, Type};
use mil_ir::{Constant, Function, Payload, Program};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Since which op set an op has the signature that is in force in a function of the given one; for statistics only.
pub type OpsetOf<'a> = &'a dyn Fn(&str, Opset) -> Option<Opset>;

/// The attribute of a program that names the tools that made it.
const BUILD_INFO: &str = "buildInfo";
/// How we call ourselves there.
const TOOL: &str = "milwright-version";

/// Systems of each specification version, in the order macOS, iOS (and tvOS, macCatalyst), watchOS, visionOS.
const SYSTEMS: &[(i32, [&str; 4])] = &[
    (6, ["12.0", "15.0", "8.0", "1.0"]),
    (7, ["13.0", "16.0", "9.0", "1.0"]),
    (8, ["14.0", "17.0", "10.0", "1.0"]),
    (9, ["15.0", "18.0", "11.0", "2.0"]),
    (10, ["26.0", "26.0", "26.0", "26.0"]),
];

/// The files of an `.mlmodelc`: program, weights, description and statistics, with the weights where they were.
///
/// Errors: those of [`store`] and [`package::write`].
pub fn write(
    program: &Program,
    described: Option<Described<'_>>,
    source: &Source<'_>,
    opset_of: OpsetOf<'_>,
) -> Result<Written, Vec<Diagnostic>> {
    let mut compiled = Compiled::new(program, described)?;
    compiled.container.description.metadata.get_or_insert_default();
    let metadata = metadata(&compiled, source, opset_of);
    let mut written = compiled.files("", source.model)?;
    written.files.insert(METADATA.to_owned(), format!("{metadata:#}").into_bytes());
    Ok(written)
}

/// A program as a bundle holds it.
pub(super) struct Compiled {
    pub(super) container: Container,
    pub(super) is_updatable: bool,
    /// With its weights where the bundle has them.
    pub(super) program: Program,
    weights: BTreeMap<Name, BlobWriter>,
    warnings: Vec<Diagnostic>,
}

impl Compiled {
    /// Errors: those of [`store`] and [`package::write`].
    pub(super) fn new(
        program: &Program,
        described: Option<Described<'_>>,
    ) -> Result<Compiled, Vec<Diagnostic>> {
        let mut warnings = Vec::new();
        let frame = package::frame(program, described, &mut warnings)?;
        let container = Container {
            specification_version: frame.specification_version,
            description: frame.description.unwrap_or_default(),
            pipeline: None,
        };
        let stored = store(program, Storage::AsRead)?;
        Ok(Compiled {
            container,
            is_updatable: frame.is_updatable,
            program: stored.program,
            weights: stored.files,
            warnings,
        })
    }

    /// The files but `metadata.json`, in the folder `base` of the bundle; `model` is the `.mlmodel` file, for statistics.
    pub(super) fn files(
        mut self,
        base: &str,
        model: Option<(&str, &[u8])>,
    ) -> Result<Written, Vec<Diagnostic>> {
        let one = |d| vec![d];
        name_tool(&mut self.program);
        let mil = text::print(&self.program, &Options::default());
        let files = [
            (PROGRAM, mil.into_bytes()),
            (super::CONTAINER, container::write(&self.container)),
            (super::ANALYTICS, analytics::program(model)),
        ];
        let mut written =
            Written { files: BTreeMap::new(), weights: BTreeMap::new(), warnings: self.warnings };
        for (path, bytes) in files {
            written.files.insert(folder::resolve(base, path).map_err(one)?, bytes);
        }
        for (path, writer) in self.weights {
            written.weights.insert(folder::resolve(base, &path).map_err(one)?, writer);
        }
        Ok(written)
    }
}

/// Adds ourselves to the tools that made the program.
fn name_tool(program: &mut Program) {
    let text = |s: &str| Tensor::from_strings(&[], vec![s.to_owned()]).ok().map(Payload::Tensor);
    let (Some(key), Some(value)) = (text(TOOL), text(env!("CARGO_PKG_VERSION"))) else { return };
    let known = program.attributes.iter_mut().find(|(name, _)| name == BUILD_INFO);
    if let Some((_, Constant { payload: Payload::Dict(pairs), .. })) = known {
        pairs.retain(|(k, _)| *k != key);
        pairs.push((key, value));
        return;
    }
    let string = || Box::new(Type::scalar(DType::String));
    let constant =
        Constant { ty: Type::Dict(string(), string()), payload: Payload::Dict(vec![(key, value)]) };
    program.attributes.retain(|(name, _)| name != BUILD_INFO);
    program.attributes.push((BUILD_INFO.into(), constant));
}

/// The object in `metadata.json`, in its array.
fn metadata(compiled: &Compiled, source: &Source<'_>, opset_of: OpsetOf<'_>) -> Value {
    let Compiled { container, program, .. } = compiled;
    let description = &container.description;
    let named = |name: &str| program.functions.iter().map(|(_, f)| f).find(|f| *f.name == *name);
    let default = program.default_function().map(|id| &program.functions[id]);
    let main = named(&description.default_function_name).or(default);
    let main_name = main.map_or("main", |f| &*f.name);
    let of_main = main.map_or_else(Statistics::default, |f| Statistics::of(program, f, opset_of));
    let storage = Statistics::of_all(program, opset_of).storage_precision();

    let kind = json!({"name": "MLModelType_mlProgram"});
    let mut object = head(container, kind, compiled.is_updatable, source.class_name);
    let function = description.functions.iter().find(|f| f.name == main_name);
    let (input, output, state) = match function {
        Some(f) => (&f.input, &f.output, &f.state),
        None => (&description.input, &description.output, &description.state),
    };
    schemas(&mut object, input, output, state);
    statistics(&mut object, &of_main, storage);
    if !description.functions.is_empty() {
        object.insert("defaultFunctionName".into(), main_name.into());
        let each = description.functions.iter().map(|f| function_entry(program, named(&f.name), f, opset_of));
        object.insert("functions".into(), each.collect());
    }
    about(&mut object, description);
    json!([object])
}

/// What the object says of every kind of model.
pub(super) fn head(
    container: &Container,
    kind: Value,
    is_updatable: bool,
    class: &str,
) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("metadataOutputVersion".into(), "3.0".into());
    object.insert("specificationVersion".into(), json!(container.specification_version));
    object.insert("availability".into(), availability(container.specification_version));
    object.insert("modelType".into(), kind);
    object.insert("generatedClassName".into(), class_name(class).into());
    object.insert("method".into(), "predict".into());
    object.insert("isUpdatable".into(), flag(is_updatable));
    object.insert("modelParameters".into(), json!([]));
    object
}

/// What goes in and out.
pub(super) fn schemas(
    object: &mut Map<String, Value>,
    input: &[proto::FeatureDescription],
    output: &[proto::FeatureDescription],
    state: &[proto::FeatureDescription],
) {
    object.insert("inputSchema".into(), features(input));
    object.insert("outputSchema".into(), features(output));
    object.insert("stateSchema".into(), features(state));
}

fn function_entry(
    program: &Program,
    function: Option<&Function>,
    described: &proto::FunctionDescription,
    opset_of: OpsetOf<'_>,
) -> Value {
    let mut entry = Map::new();
    entry.insert("name".into(), described.name.as_str().into());
    schemas(&mut entry, &described.input, &described.output, &described.state);
    let found = function.map_or_else(Statistics::default, |f| Statistics::of(program, f, opset_of));
    let storage = found.storage_precision();
    statistics(&mut entry, &found, storage);
    Value::Object(entry)
}

/// Ops and precisions.
pub(super) fn statistics(object: &mut Map<String, Value>, found: &Statistics, storage: Option<String>) {
    object.insert("mlProgramOperationTypeHistogram".into(), json!(found.histogram));
    let precisions = [("computePrecision", found.compute_precision()), ("storagePrecision", storage)];
    for (key, precision) in precisions {
        object.extend(precision.map(|p| (key.to_owned(), p.into())));
    }
}

/// What the model says for people.
pub(super) fn about(object: &mut Map<String, Value>, description: &proto::ModelDescription) {
    let metadata = description.metadata.clone().unwrap_or_default();
    object.insert("userDefinedMetadata".into(), json!(metadata.user_defined));
    let texts = [
        ("shortDescription", metadata.short_description),
        ("version", metadata.version_string),
        ("author", metadata.author),
        ("license", metadata.license),
        ("predictedFeatureName", description.predicted_feature_name.clone()),
        ("predictedProbabilitiesName", description.predicted_probabilities_name.clone()),
    ];
    let said = texts.into_iter().filter(|(_, text)| !text.is_empty());
    object.extend(said.map(|(key, text)| (key.to_owned(), text.into())));
}

/// The first systems that can load a model of this specification version.
fn availability(version: i32) -> Value {
    let found = SYSTEMS.iter().find(|(v, _)| *v >= version).or(SYSTEMS.last());
    let [macos, ios, watchos, visionos] = found.map_or([""; 4], |(_, systems)| *systems);
    json!({
        "macOS": macos, "iOS": ios, "macCatalyst": ios, "tvOS": ios, "watchOS": watchos, "visionOS": visionos,
    })
}

/// A name that Swift and Objective-C take.
fn class_name(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let name: String = name.chars().map(allowed).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}
