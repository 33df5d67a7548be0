//! Bundles of pipelines, and of a few more programs, are those that Apple's compiler wrote for the same models. The bundles are
//! fixtures of the crate `mlmodelc-export` 0.1.0 (MIT or Apache-2.0); they are looked for where cargo unpacks crates, or in
//! the folder `MILWRIGHT_MLMODELC_EXPORT`.

use bytes::Bytes;
use mil_base::Opset;
use mil_codec::bundle::{self, PipelineParts, Source, Stage};
use mil_codec::package::{self, Described, Package, Written};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

mod common;

fn fixtures() -> Option<PathBuf> {
    let given = std::env::var_os("MILWRIGHT_MLMODELC_EXPORT").map(PathBuf::from);
    let unpacked = || {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
        let registries = std::fs::read_dir(home.join("registry/src")).ok()?;
        registries.flatten().map(|r| r.path().join("mlmodelc-export-0.1.0")).find(|p| p.is_dir())
    };
    let tests = given.or_else(unpacked).map(|p| p.join("tests")).filter(|p| p.is_dir());
    if tests.is_none() {
        println!("skipped: the source of mlmodelc-export 0.1.0 is absent");
    }
    tests
}

/// As the cards have it, for the ops in the fixtures.
fn opset_of(op: &str, function: Opset) -> Option<Opset> {
    let since = match op {
        "cast" | "gather" | "reduce_argmax" => Opset::Ios17,
        _ => Opset::Ios15,
    };
    Some(function.min(since))
}

fn described(package: &Package) -> Described<'_> {
    Described {
        specification_version: package.specification_version,
        is_updatable: package.is_updatable,
        model: &package.description,
    }
}

fn read(bytes: Bytes, folder: &Path) -> Package {
    let path = "weights/weights.bin";
    let beside = [folder.join(path), folder.join("weights.bin")];
    let weights =
        beside.iter().find_map(|file| std::fs::read(file).ok()).map(|b| (path.to_owned(), b.into()));
    let files: BTreeMap<String, Bytes> = weights.into_iter().collect();
    package::read_model(bytes)
        .and_then(|p| package::with_weights(p, &files, ""))
        .unwrap_or_else(|e| panic!("{}: {e:?}", folder.display()))
}

/// Compares every file of Apple's with ours. `without` are keys of `metadata.json` in which the capture is not comparable.
fn compare(ours: &Written, apple: &Path, without: &[&str]) {
    for name in ["coremldata.bin", "model.mil", "metadata.json"] {
        for theirs in common::files_named(apple, name) {
            let path = theirs.strip_prefix(apple).unwrap().to_str().unwrap().to_owned();
            let place = theirs.display();
            let bytes = std::fs::read(&theirs).unwrap();
            let own = ours.files.get(&path).unwrap_or_else(|| panic!("{place} is not written"));
            if name == "model.mil" {
                assert_eq!(comparable(own), comparable(&bytes), "{place}");
            } else if name == "metadata.json" {
                let json = |bytes: &[u8]| {
                    let mut json: Value = serde_json::from_slice(bytes).unwrap();
                    without.iter().for_each(|key| drop(json[0].as_object_mut().unwrap().remove(*key)));
                    json
                };
                assert_eq!(json(own), json(&bytes), "{place}");
            } else if !path.starts_with("analytics") {
                assert!(*own == bytes, "{place}");
            } else {
                // The name and hash of the file that was compiled, which has another name here, follow.
                let end = bytes
                    .windows(20)
                    .position(|w| w == b"SpecificationDetails")
                    .map_or(bytes.len(), |n| n - 8);
                assert!(own.starts_with(&bytes[..end]), "{place}");
            }
        }
    }
}

/// A text without the compiler's name, and with a function's enumerated shapes in an order that does not depend on the names
/// they are given, which are numbers that mean nothing.
fn comparable(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).unwrap();
    let lines = text.lines().filter(|l| !l.starts_with("[buildInfo")).map(|line| {
        if !line.contains("EnumeratedShapes") {
            return line.to_owned();
        }
        let is_name = |s: &str| s.len() == 8 && s.bytes().all(|b| b.is_ascii_hexdigit());
        let mut pieces: Vec<String> = line
            .split('{')
            .map(|piece| piece.split('"').map(|s| if is_name(s) { "" } else { s }).collect())
            .map(|piece: String| piece.trim_end_matches(['}', ',', ' ', '(', ')', '[', ']']).to_owned())
            .collect();
        pieces.sort();
        pieces.join("{")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn pipelines_are_those_of_apple_s_compiler() {
    let Some(tests) = fixtures() else { return };
    let mut compared = 0;
    for file in common::files_named(&tests.join("pipeline-fixtures"), "input.mlmodel") {
        let folder = file.parent().unwrap();
        let bytes = Bytes::from(std::fs::read(&file).unwrap());
        let pipeline = package::read_pipeline(&bytes).unwrap().unwrap();
        let packages: Vec<(String, Package)> =
            pipeline.stages.into_iter().map(|(name, stage)| (name, read(stage, folder))).collect();
        let parts = PipelineParts {
            kind: pipeline.kind,
            described: Described {
                specification_version: pipeline.specification_version,
                is_updatable: pipeline.is_updatable,
                model: &pipeline.description,
            },
            stages: packages
                .iter()
                .map(|(name, p)| (name.as_str(), Stage::Program(&p.program, Some(described(p)))))
                .collect(),
        };
        let source = Source { class_name: "input", model: Some(("input", &bytes)) };
        let ours = bundle::write_pipeline(&parts, &source, &opset_of).unwrap();
        let apple = folder.join("expected.mlmodelc");
        compare(&ours, &apple, &["generatedClassName"]);
        for at in 0..packages.len() {
            assert!(!ours.files.contains_key(&format!("model{at}/metadata.json")));
        }
        let names = apple.join(bundle::NAMES);
        assert_eq!(ours.files.contains_key(bundle::NAMES), names.exists(), "{}", names.display());
        compared += 1;
    }
    assert_eq!(compared, 8);
}

#[test]
fn programs_are_those_of_apple_s_compiler() {
    let Some(tests) = fixtures() else { return };
    for fixture in ["unsupported/flexible-enumerated", "fixtures/flexible-gather"] {
        let folder = tests.join(fixture);
        let bytes = Bytes::from(std::fs::read(folder.join("input.mlmodel")).unwrap());
        let package = read(bytes.clone(), &folder);
        let source = Source { class_name: "input", model: Some(("input", &bytes)) };
        let ours = bundle::write(&package.program, Some(described(&package)), &source, &opset_of).unwrap();
        compare(&ours, &folder.join("expected-macos.mlmodelc"), &["generatedClassName"]);
    }
}
