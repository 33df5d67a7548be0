//! Writing packages: what was read is written again unchanged, and programs from text become packages.

use bytes::Bytes;
use mil_base::{DType, Diagnostic, Dim, Shape, Tensor, Type};
use mil_codec::folder::Folder;
use mil_codec::package::{self, Described, FeatureKind, Flexibility, Package, Written, proto};
use mil_codec::text;
use mil_codec::weights::{Storage, store};
use mil_ir::Payload;
use prost::Message;
use std::collections::BTreeMap;

mod common;

fn again(package: &Package) -> Written {
    let described = Described {
        specification_version: package.specification_version,
        is_updatable: package.is_updatable,
        model: &package.description,
    };
    let written = package::write(&package.program, Some(described)).unwrap();
    assert_eq!(written.warnings, []);
    written
}

fn folder(written: &Written) -> BTreeMap<String, Bytes> {
    let weights = written.weights.iter().map(|(path, w)| (path.clone(), w.to_bytes()));
    written.files.iter().map(|(path, b)| (path.clone(), Bytes::from(b.clone()))).chain(weights).collect()
}

const MODEL: &str = "Data/com.apple.CoreML/model.mlmodel";
const WEIGHTS: &str = "Data/com.apple.CoreML/weights/weight.bin";

#[test]
fn shared_packages_are_written_again_unchanged() {
    let Some(shared) = common::shared() else { return };
    for manifest in common::files_named(&shared.join("models"), "Manifest.json") {
        let root = manifest.parent().unwrap();
        let original = common::Disk(root.to_path_buf());
        let package = package::read(&original).unwrap();
        let written = folder(&again(&package));
        assert!(written[WEIGHTS] == original.file(WEIGHTS).unwrap().unwrap(), "{}", root.display());
        let before = proto::Model::decode(original.file(MODEL).unwrap().unwrap()).unwrap();
        let after = proto::Model::decode(written[MODEL].clone()).unwrap();
        assert!(before == after, "{}: the model differs", root.display());
        let back = package::read(&written).unwrap();
        let print = |p: &Package| text::print(&p.program, &Default::default());
        assert!(print(&back) == print(&package), "{}: the text differs", root.display());
    }
}

fn program(source: &str) -> mil_ir::Program {
    let read = text::read(source);
    assert_eq!(read.diagnostics, []);
    read.program
}

#[test]
fn a_program_from_text_becomes_a_package_and_comes_back() {
    let written = package::write(&program(common::EVERYTHING), None).unwrap();
    let files = folder(&written);
    let back = package::read(&files).unwrap();
    assert_eq!((back.specification_version, back.warnings.len()), (9, 0));
    assert_eq!(back.description.default_function_name, "main");
    let main = back.interface("main");
    let FeatureKind::MultiArray(x) = &main.inputs[0].kind else { panic!() };
    assert_eq!((x.dtype, x.shape.as_slice()), (Some(DType::Fp16), &[1, 8][..]));
    assert_eq!(x.flexibility, Flexibility::Ranges(vec![(1, Some(1)), (1, Some(64))]));
    let FeatureKind::State(kept) = &main.states[0].kind else { panic!() };
    assert_eq!(kept.shape, [1, 4]);

    // The table moved into the weight file; with it back in the program the text is the one we started from.
    assert_eq!(written.weights[WEIGHTS].len(), 64 + 64 + 24);
    let inline = store(&back.program, Storage::Inline).unwrap().program;
    assert_eq!(text::print(&inline, &Default::default()), common::EVERYTHING);
    assert_eq!(
        folder(&package::write(&program(common::EVERYTHING), None).unwrap()),
        files,
        "always the same bytes"
    );
}

#[test]
fn a_bare_model_holds_its_weights() {
    let (bytes, warnings) = package::write_model(&program(common::EVERYTHING), None).unwrap();
    assert_eq!(warnings, []);
    let back = package::read_model(bytes.into()).unwrap();
    assert_eq!(text::print(&back.program, &Default::default()), common::EVERYTHING);
}

#[test]
fn small_and_unsuitable_constants_stay_in_the_program() {
    let source = |ty: &str, n: usize, opset: &str| {
        let values = vec!["1"; n].join(", ");
        format!(
            "program(1.3)\n{{\n    func main<{opset}>(tensor<fp32, [1]> x) {{\n            \
             tensor<{ty}, [{n}]> c = const()[val = tensor<{ty}, [{n}]>([{values}])];\n        }} -> (x);\n}}"
        )
    };
    let in_file = |ty, n, opset| {
        let written = package::write(&program(&source(ty, n, opset)), None).unwrap();
        !written.weights.is_empty()
    };
    assert!(in_file("int8", 10, "ios15"));
    assert!(!in_file("int8", 9, "ios15"));
    assert!(!in_file("int32", 10, "ios17"));
    assert!(in_file("int32", 10, "ios18"));
    assert!(in_file("uint3", 10, "ios18"));
    assert!(!in_file("int64", 10, "ios18"));
}

#[test]
fn a_description_that_does_not_fit_is_made_anew_but_its_metadata_kept() {
    let mut model = package::describe(&program(common::EVERYTHING)).unwrap();
    model.metadata = Some(proto::Metadata { author: "me".into(), ..Default::default() });
    model.functions[0].input[0].name = "another".into();
    let described = Described { specification_version: 9, is_updatable: false, model: &model };
    let written = package::write(&program(common::EVERYTHING), Some(described)).unwrap();
    assert_eq!(written.warnings[0].code, "package/description-renewed");
    let back = package::read(&folder(&written)).unwrap();
    assert_eq!(back.interface("main").inputs[0].name, "x");
    assert_eq!(back.description.metadata.unwrap().author, "me");
}

#[test]
fn what_core_ml_cannot_pass_is_refused_by_name() {
    let source = "program(1.3)\n{\n    func main<ios18>(tensor<bool, [1]> x) {\n        } -> (x);\n}";
    let errors = package::write(&program(source), None).unwrap_err();
    assert_eq!(errors[0].code, "package/feature-type");
    assert_eq!(errors[0].labels[0].place.argument.as_deref(), Some("x"));
}

#[test]
fn equal_names_in_one_scope_are_told_apart() {
    let ty = Type::tensor(DType::Fp32, Shape(vec![Dim::Known(2)]));
    let mut builder = mil_ir::Builder::new("main", "ios17");
    let x = builder.param("x", ty.clone());
    let op = builder.op("relu", vec![("x".into(), mil_ir::Arg::value(x))], vec![], vec![("x".into(), ty)]);
    let y = builder.function().ops[op].outputs[0];
    let mut program = mil_ir::Program { version: (1, 3), ..Default::default() };
    program.functions.push(builder.finish(vec![y]));
    let (bytes, _) = package::write_model(&program, None).unwrap();
    let back = package::read_model(bytes.into()).unwrap().program;
    let main = &back.functions[back.function("main").unwrap()];
    assert_ne!(main.outputs(), main.params());
}

#[test]
fn text_keeps_its_weight_files_where_they_were() {
    let mut writer = mil_codec::blob::BlobWriter::new();
    let data = Tensor::from_f32(&[3], &[1.0, 2.0, 3.0]).unwrap();
    writer.push_at(128, DType::Fp32, 3, data.shared_bytes()).unwrap();
    let files = BTreeMap::from([("w/mine.bin".to_owned(), writer.to_bytes())]);
    let source = "program(1.3)\n{\n    func main<ios17>(tensor<fp32, [3]> x) {\n            tensor<fp32, [3]> c = \
                  const()[val = tensor<fp32, [3]>(BLOBFILE(path = string(\"@model_path/w/mine.bin\"), offset = \
                  uint64(128)))];\n        } -> (x);\n}";
    let mut read = text::read(source);
    let missing: Vec<Diagnostic> =
        mil_codec::weights::attach(&mut read.program, &read.origins, &BTreeMap::new(), "");
    assert_eq!(missing[0].code, "blob/missing-file");
    assert_eq!(store(&read.program, Storage::Inline).unwrap_err()[0].code, "blob/no-data");
    assert_eq!(mil_codec::weights::attach(&mut read.program, &read.origins, &files, ""), []);
    let stored = store(&read.program, Storage::AsRead).unwrap();
    assert_eq!(text::print(&stored.program, &Default::default()), source);
    assert_eq!(stored.files["@model_path/w/mine.bin"].to_bytes(), files["w/mine.bin"]);
    let inline = store(&read.program, Storage::Inline).unwrap().program;
    let (_, op) = inline.functions.iter().next().unwrap().1.ops.iter().next().unwrap();
    assert_eq!(op.attribute("val").unwrap().payload, Payload::Tensor(data));
}

#[test]
fn a_classifier_from_text_is_described_as_one() {
    let source = "program(1.3)\n{\n    func main<ios17>(tensor<fp32, [1, 2]> x) {\n            string c, dict<string, fp64> p = \
                  classify(classes = list<string, 2>([\"a\", \"b\"]), probabilities = x);\n        } -> (c, p);\n}";
    let model = package::describe(&program(source)).unwrap();
    assert_eq!(
        (model.predicted_feature_name.as_str(), model.predicted_probabilities_name.as_str()),
        ("c", "p")
    );
    let kinds: Vec<_> = package::Interface::of(&model, "main").outputs.into_iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FeatureKind::String, FeatureKind::Dictionary]);
}
