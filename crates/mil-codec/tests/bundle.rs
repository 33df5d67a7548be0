//! Bundles written by us are those that Apple's compiler wrote for the same models: `model.mil` and the binaries byte for byte,
//! `metadata.json` key by key.

use mil_base::Opset;
use mil_codec::bundle::{self, Source};
use mil_codec::package::{self, Described, Package, Written};
use serde_json::Value;
use std::path::Path;

mod common;

/// As the cards have it, for the ops that the bundles hold.
fn opset_of(op: &str, function: Opset) -> Option<Opset> {
    match op {
        "relu" | "add" | "mul" => Some(Opset::Ios15),
        "constexpr_affine_dequantize" => Some(Opset::Ios16),
        "cast" => Some(function.min(Opset::Ios17)),
        _ => panic!("{op} is new here"),
    }
}

fn written(package: &Package, bytes: &[u8]) -> Written {
    let described = Described {
        specification_version: package.specification_version,
        is_updatable: package.is_updatable,
        model: &package.description,
    };
    let source = Source { class_name: "input", model: Some(("input", bytes)) };
    bundle::write(&package.program, Some(described), &source, &opset_of).unwrap()
}

#[test]
fn bundles_are_those_of_apple_s_compiler() {
    let Some(shared) = common::shared() else { return };
    let mut compared = 0;
    for file in common::files_named(&shared.join("models/bundles"), "input.mlmodel") {
        let folder = file.parent().unwrap();
        let bytes = std::fs::read(&file).unwrap();
        let package = package::read_model(bytes.clone().into())
            .and_then(|p| package::with_weights(p, &common::Disk(folder.to_path_buf()), ""))
            .unwrap();
        let ours = written(&package, &bytes);
        let theirs = |name: &str| std::fs::read(folder.join(name)).unwrap();

        let text = String::from_utf8(ours.files["model.mil"].clone()).unwrap();
        let apple = String::from_utf8(theirs("model.mil")).unwrap();
        assert_eq!(without_build_info(&text), without_build_info(&apple), "{}", folder.display());
        for name in ["coremldata.bin", "analytics/coremldata.bin"] {
            assert!(ours.files[name] == theirs(name), "{name} of {}", folder.display());
        }
        let ours_json: Value = serde_json::from_slice(&ours.files["metadata.json"]).unwrap();
        let apple_json: Value = serde_json::from_slice(&theirs("metadata.json")).unwrap();
        assert_eq!(sorted(&ours_json), sorted(&apple_json), "{}", folder.display());
        for (name, weights) in &ours.weights {
            let mut bytes = Vec::new();
            weights.write_to(&mut bytes).unwrap();
            // Whoever made the file padded its end.
            let apple = theirs(name);
            let rest = apple.strip_prefix(bytes.as_slice()).expect("the same weights");
            assert!(rest.iter().all(|&b| b == 0), "{name} of {}", folder.display());
        }
        assert_eq!(ours.weights.is_empty(), !folder.join("weights").exists());
        compared += 1;
    }
    assert_eq!(compared, 6);
}

#[test]
fn every_container_of_apple_s_is_written_again_the_same() {
    let Some(shared) = common::shared() else { return };
    for file in common::files_named(&shared.join("models/bundles"), "coremldata.bin") {
        if file.parent().is_some_and(|p| p.ends_with("analytics")) {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        let container = bundle::read_container(&bytes).unwrap();
        let again = bundle::write_container(&container);
        // A map has no order in protobuf, and Apple's writer follows its own.
        match container.description.metadata.as_ref().map_or(0, |m| m.user_defined.len()) {
            0 | 1 => assert!(again == bytes, "{}", file.display()),
            _ => {
                assert_eq!(again.len(), bytes.len(), "{}", file.display());
                assert_eq!(bundle::read_container(&again).unwrap(), container);
            }
        }
    }
}

#[test]
fn states_and_packed_types_are_written() {
    let Some(shared) = common::shared() else { return };
    for (model, state, storage) in
        [("kv_cache", true, "Float16"), ("encoder_palettized_4bit", false, "Palettized (4 bits)")]
    {
        let folder = shared.join("models").join(model).join("model.mlpackage");
        let package = package::read(&common::Disk(folder.clone())).unwrap();
        let described = Described {
            specification_version: package.specification_version,
            is_updatable: false,
            model: &package.description,
        };
        let source = Source { class_name: model, model: None };
        let ours =
            bundle::write(&package.program, Some(described), &source, &|_, opset| Some(opset)).unwrap();
        let metadata = bundle::read_metadata(&ours.files["metadata.json"]).unwrap();
        let json: Value = serde_json::from_slice(&ours.files["metadata.json"]).unwrap();
        let states = json[0]["stateSchema"].as_array().unwrap();
        assert_eq!(states.is_empty(), !state, "{model}");
        assert!(
            states.iter().all(|s| s["type"] == "State" && s["dataType"] == "Float16"),
            "{model}: {states:?}"
        );
        let precision = json[0]["storagePrecision"].as_str().unwrap_or_default();
        assert!(precision.contains(storage), "{model}: {precision}");
        let container = bundle::read_container(&ours.files["coremldata.bin"]).unwrap();
        assert_eq!(container.description, package.description, "{model}");
        assert_eq!(container.specification_version, package.specification_version);
        assert_eq!(metadata.specification_version, package.specification_version);
        let text = String::from_utf8(ours.files["model.mil"].clone()).unwrap();
        let read = mil_codec::text::read(&text);
        assert_eq!(read.diagnostics, [], "{model}");
        let source = Path::new(&folder).join("Data/com.apple.CoreML/weights/weight.bin");
        let mut weights = Vec::new();
        ours.weights["weights/weight.bin"].write_to(&mut weights).unwrap();
        assert!(weights == std::fs::read(source).unwrap(), "{model}: weights stay where they are");
    }
}

/// The build info names the compiler, which is not ours.
fn without_build_info(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("[buildInfo")).collect::<Vec<_>>().join("\n")
}

/// Objects with their keys in order, so that a difference is easy to see.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut pairs: Vec<_> = object.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
