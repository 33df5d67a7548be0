//! Opening programs by kind.

use milwright::{Kind, OpenOptions, Severity, open, open_text, open_with};
use std::path::{Path, PathBuf};

/// The folder of shared models; without it the calling test says that it was skipped.
fn shared() -> Option<PathBuf> {
    let fallback = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("MILWRIGHT_SHARED").map_or(fallback, PathBuf::from);
    if !path.join("models").is_dir() {
        println!("skipped: {} has no models", path.display());
        return None;
    }
    Some(path.join("models"))
}

#[test]
fn packages_and_bare_models_open() {
    let Some(models) = shared() else { return };
    let package = open(models.join("kv_cache/model.mlpackage")).unwrap();
    assert_eq!(package.kind, Kind::Package);
    let function = package.default_function().unwrap();
    assert_eq!(package.program.functions[function].name, *"main");
    assert_eq!(package.interface("main").unwrap().states.len(), 2);
    let model = open(models.join("bundles/quantized-constexpr.mlmodelc/input.mlmodel")).unwrap();
    assert_eq!(model.kind, Kind::Model);
    assert!(model.program.blobs.iter().all(|(_, b)| b.data.is_some()));
    let twin = open(models.join("bundles/flexible-multifunction.mlmodelc/input.mlmodel")).unwrap();
    assert_eq!(twin.program.functions[twin.default_function().unwrap()].name, *"second");
}

#[test]
fn numpys_archives_are_read() {
    let Some(models) = shared() else { return };
    let arrays = milwright::npz::load(models.join("kv_cache/in.npz")).unwrap();
    assert_eq!(arrays.len(), 12);
    assert_eq!(arrays[0].0, "token@0");
    assert_eq!(arrays[0].1.shape(), [1, 1]);
}

#[test]
fn what_cannot_be_opened_is_named() {
    let code = |path: &Path| open(path).unwrap_err().diagnostics[0].code;
    assert_eq!(code(Path::new("no/such/thing.mil")), "file/not-found");
    assert_eq!(code(Path::new(env!("CARGO_MANIFEST_DIR"))), "file/unknown-folder");
}

#[test]
fn bundles_open_with_what_they_say_about_themselves() {
    let Some(models) = shared() else { return };
    let mut opened = 0;
    for entry in std::fs::read_dir(models.join("bundles")).unwrap().flatten() {
        // The weights of one sample were not published with it.
        let options = OpenOptions { tolerate_missing_weights: entry.file_name() == "test_linear.mlmodelc" };
        let bundle = open_with(entry.path(), &options).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(bundle.kind, Kind::Bundle);
        let function = &bundle.program.functions[bundle.default_function().unwrap()];
        let interface = bundle.interface(&function.name).unwrap();
        let params: Vec<_> = function.params().iter().map(|&p| function.values[p].name.to_string()).collect();
        assert_eq!(params, interface.inputs.iter().map(|f| f.name.clone()).collect::<Vec<_>>());
        opened += 1;
    }
    assert_eq!(opened, 7);
    let twin = open(models.join("bundles/flexible-multifunction.mlmodelc")).unwrap();
    assert_eq!(twin.program.functions[twin.default_function().unwrap()].name, *"second");
}

#[test]
fn missing_weights_are_an_error_with_the_place_or_a_warning() {
    let Some(models) = shared() else { return };
    let path = models.join("bundles/quantized-constexpr.mlmodelc/model.mil");
    let source = std::fs::read_to_string(path).unwrap();
    let empty = std::env::temp_dir().join("milwright-no-weights-here");
    std::fs::create_dir_all(&empty).unwrap();
    let open = |options| open_text("model.mil", source.clone(), &empty, &options);
    let failure = open(OpenOptions::default()).unwrap_err();
    assert_eq!(failure.diagnostics[0].code, "blob/missing-file");
    let span = failure.diagnostics[0].labels[0].span.unwrap();
    assert!(source[span.range()].contains("quantized_data"), "{}", &source[span.range()]);
    let opened = open(OpenOptions { tolerate_missing_weights: true }).unwrap();
    assert_eq!(opened.warnings[0].severity, Severity::Warning);
}

#[test]
fn a_part_of_a_pipeline_finds_its_weights_in_the_pipeline() {
    let Some(models) = shared() else { return };
    let from = models.join("bundles/quantized-constexpr.mlmodelc");
    let pipeline = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pipeline.mlmodelc");
    let _ = std::fs::remove_dir_all(&pipeline);
    std::fs::create_dir_all(pipeline.join("model0")).unwrap();
    std::fs::create_dir_all(pipeline.join("weights")).unwrap();
    std::fs::write(pipeline.join("model0/coremldata.bin"), "").unwrap();
    std::fs::copy(from.join("weights/weights.bin"), pipeline.join("weights/weights.bin")).unwrap();
    let text = std::fs::read_to_string(from.join("model.mil")).unwrap();
    let text = text.replace("@model_path/weights", "@model_path/../weights");
    std::fs::write(pipeline.join("model0/model.mil"), text).unwrap();
    let code = |path: &Path| open(path).unwrap_err().diagnostics[0].code;
    assert_eq!(code(&pipeline.join("model0")), "package/path-escapes", "it is part of nothing yet");
    std::fs::write(pipeline.join("coremldata.bin"), "").unwrap();
    assert_eq!(open(pipeline.join("model0")).unwrap().kind, Kind::Bundle);
    let whole = open(&pipeline).unwrap();
    assert_eq!(whole.kind, Kind::Bundle, "a pipeline of one model");
    assert!(whole.program.blobs.iter().all(|(_, b)| b.data.is_some()));
}
