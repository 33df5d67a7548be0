//! Packages: every shared model is read whole, its weights in place; what is wrong is named.

use bytes::Bytes;
use mil_base::DType;
use mil_codec::package::{self, FLEXIBLE_SHAPES, FeatureKind, Flexibility, Package, proto};
use prost::Message;
use std::path::Path;

mod common;

fn read_package(folder: &Path) -> Package {
    package::read(&common::Disk(folder.to_path_buf()))
        .unwrap_or_else(|e| panic!("{}: {e:#?}", folder.display()))
}

/// A bare `.mlmodel` with the weights beside it.
fn read_model(file: &Path) -> Package {
    let bytes = Bytes::from(std::fs::read(file).unwrap());
    package::read_model(bytes)
        .and_then(|p| package::with_weights(p, &common::Disk(file.parent().unwrap().to_path_buf()), ""))
        .unwrap_or_else(|e| panic!("{}: {e:#?}", file.display()))
}

#[test]
fn every_shared_package_is_read_whole() {
    let Some(shared) = common::shared() else { return };
    let mut read = 0;
    for manifest in common::files_named(&shared.join("models"), "Manifest.json") {
        let package = read_package(manifest.parent().unwrap());
        assert_eq!(package.warnings, []);
        let program = &package.program;
        let main = &program.functions[program.default_function().unwrap()];
        assert!(!main.outputs().is_empty());
        assert!(program.blobs.iter().all(|(_, b)| b.data.is_some()));
        let interface = package.interface("main");
        let params: Vec<_> = main.params().iter().map(|&p| main.values[p].name.to_string()).collect();
        let features = interface.inputs.iter().chain(&interface.states).map(|f| f.name.clone());
        assert_eq!(params, features.collect::<Vec<_>>(), "{}", manifest.display());
        read += 1;
    }
    assert_eq!(read, 11, "nine models, two of them with a dense twin");
}

#[test]
fn every_model_beside_a_bundle_is_read_whole() {
    let Some(shared) = common::shared() else { return };
    let mut read = 0;
    for file in common::files_named(&shared.join("models/bundles"), "input.mlmodel") {
        let package = read_model(&file);
        assert_eq!(package.warnings, []);
        read += 1;
    }
    assert_eq!(read, 6);
}

#[test]
fn a_flexible_package_gets_the_attribute_of_the_text() {
    let Some(shared) = common::shared() else { return };
    let package = read_model(&shared.join("models/bundles/flexible-multifunction.mlmodelc/input.mlmodel"));
    let names: Vec<_> = package.program.functions.iter().map(|(_, f)| f.name.to_string()).collect();
    assert_eq!(names, ["first", "second"]);
    let second = &package.program.functions[package.program.function("second").unwrap()];
    assert_eq!(second.opset, *"ios18");
    let (name, constant) = &second.attributes[0];
    assert_eq!(*name, *FLEXIBLE_SHAPES);
    assert_eq!(
        constant.ty.to_string(),
        "tuple<tuple<string, dict<string, tensor<int32, [?]>>>, \
         tuple<string, dict<string, list<tensor<int32, [2]>, ?>>>>"
    );
    let interface = package.interface("second");
    let FeatureKind::MultiArray(array) = &interface.inputs[0].kind else { panic!() };
    assert_eq!((array.dtype, &*array.shape), (Some(DType::Fp32), &[2][..]));
    assert_eq!(array.flexibility, Flexibility::Ranges(vec![(0, Some(4))]));
}

#[test]
fn another_kind_of_model_is_named() {
    let kind = |field: u32| {
        let mut bytes = vec![8, 4];
        prost::encoding::bytes::encode(field, &b"\x01\x02\x03".to_vec(), &mut bytes);
        package::read_model(bytes.into()).unwrap_err().remove(0)
    };
    for (field, name) in [(500, "neuralNetwork"), (202, "pipeline"), (302, "treeEnsembleRegressor")] {
        let error = kind(field);
        assert_eq!(error.code, "package/not-ml-program");
        assert!(error.message.contains(&format!("{name} ")), "{}", error.message);
    }
    assert!(kind(777).message.contains("unknown kind"));
    let code = |bytes: &'static [u8]| package::read_model(Bytes::from_static(bytes)).unwrap_err()[0].code;
    assert_eq!(code(b""), "package/no-program");
    assert_eq!(code(b"\xff\xff\xff"), "package/not-protobuf");
    assert_eq!(code(b"version https://git-lfs.github.com/spec/v1\n"), "blob/git-lfs-pointer");
}

/// A text without the line that says which compiler wrote it.
fn without_build_info(text: &str) -> Vec<&str> {
    text.trim_end().lines().filter(|line| !line.starts_with("[buildInfo")).collect()
}

#[test]
fn a_models_text_is_the_one_apples_compiler_printed() {
    let Some(shared) = common::shared() else { return };
    let mut compared = 0;
    for file in common::files_named(&shared.join("models/bundles"), "input.mlmodel") {
        let text = mil_codec::text::print(&read_model(&file).program, &Default::default());
        let wanted = std::fs::read_to_string(file.with_file_name("model.mil")).unwrap();
        assert_eq!(without_build_info(&text), without_build_info(&wanted), "{}", file.display());
        compared += 1;
    }
    assert_eq!(compared, 6);
}

/// A model of one function without a description.
fn model(inputs: &[&str], outputs: &[&str], operations: Vec<proto::Operation>) -> Bytes {
    let block = proto::Block {
        outputs: outputs.iter().map(ToString::to_string).collect(),
        operations,
        ..Default::default()
    };
    let function = proto::Function {
        inputs: inputs.iter().map(|name| named(name)).collect(),
        opset: "CoreML7".into(),
        block_specializations: [("CoreML7".to_owned(), block)].into(),
        ..Default::default()
    };
    let program = proto::Program { functions: [("main".to_owned(), function)].into(), ..Default::default() };
    proto::Model { ml_program: Some(program), ..Default::default() }.encode_to_vec().into()
}

/// An fp32 scalar.
fn named(name: &str) -> proto::NamedValueType {
    let tensor = proto::TensorType { data_type: 11, ..Default::default() };
    let ty = proto::ValueType { r#type: Some(proto::value_type::Type::TensorType(tensor)) };
    proto::NamedValueType { name: name.into(), r#type: Some(ty) }
}

fn relu(from: &str, to: &str) -> proto::Operation {
    use proto::argument::{Binding, binding};
    let binding = Binding { binding: Some(binding::Binding::Name(from.into())) };
    proto::Operation {
        r#type: "relu".into(),
        inputs: [("x".to_owned(), proto::Argument { arguments: vec![binding] })].into(),
        outputs: vec![named(to)],
        ..Default::default()
    }
}

#[test]
fn mistakes_in_a_program_are_all_named_with_their_places() {
    let fine = package::read_model(model(&["x"], &["y"], vec![relu("x", "y")])).unwrap();
    assert_eq!(fine.program.functions.len(), 1);
    let ops = vec![relu("nobody", "a"), relu("x", "a"), relu("x", "")];
    let found = package::read_model(model(&["x", "x"], &["y"], ops)).unwrap_err();
    let codes: Vec<_> = found.iter().map(|d| d.code).collect();
    assert_eq!(
        codes,
        [
            "package/duplicate-value",
            "package/undefined-value",
            "package/duplicate-value",
            "package/missing-name",
            "package/undefined-value"
        ]
    );
    let place = &found[1].labels[0].place;
    assert_eq!(
        (place.op, place.op_name.as_deref(), place.argument.as_deref()),
        (Some(0), Some("a"), Some("x"))
    );
}

#[test]
fn nesting_without_end_is_refused() {
    let mut op = relu("x", "y");
    for _ in 0..200 {
        op.blocks = vec![proto::Block { operations: vec![op.clone()], ..Default::default() }];
    }
    let error = package::read_model(model(&["x"], &["y"], vec![op])).unwrap_err();
    assert_eq!(error[0].code, "package/not-protobuf");
}
