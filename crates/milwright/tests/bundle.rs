//! A package compiled to a bundle is the same model: the same interface, and the same numbers to the last bit.

use milwright::{Kind, LoadOptions, Model, SaveOptions, Tensor, npz, open, save};
use std::path::{Path, PathBuf};

/// The shared models, unless they are absent.
fn models() -> Option<PathBuf> {
    let fallback = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let models = std::env::var_os("MILWRIGHT_SHARED").map_or(fallback, PathBuf::from).join("models");
    if !models.is_dir() {
        println!("skipped: {} is absent", models.display());
        return None;
    }
    Some(models)
}

/// The outputs of every step: inputs named `x@0`, `x@1` are those of successive predictions.
fn outputs(model: &Path, inputs: &[(String, Tensor)]) -> Vec<(String, Tensor)> {
    let options = LoadOptions { threads: Some(1), ..Default::default() };
    let model = Model::load(model, &options).unwrap_or_else(|f| panic!("{f}"));
    let mut session = model.session().unwrap();
    let mut outputs = Vec::new();
    for step in 0.. {
        let named = |(name, tensor): &(String, Tensor)| match name.split_once('@') {
            Some((name, at)) => (at == step.to_string()).then(|| (name.to_owned(), tensor.clone())),
            None => (step == 0).then(|| (name.clone(), tensor.clone())),
        };
        let given: Vec<_> = inputs.iter().filter_map(named).collect();
        if given.is_empty() {
            break;
        }
        outputs.extend(session.run(&given).unwrap_or_else(|e| panic!("{e}")));
    }
    outputs
}

#[test]
fn a_bundle_runs_as_its_package() {
    let Some(models) = models() else { return };
    // A state; sub-byte weights; open sizes; loops; the newest op set.
    for name in ["kv_cache", "encoder_palettized_4bit", "dynamic_length", "recurrent", "sdpa_ios18"] {
        let package = models.join(name).join("model.mlpackage");
        let bundle = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.mlmodelc"));
        let opened = open(&package).unwrap();
        let options = SaveOptions {
            description: opened.description.as_ref(),
            model_file: opened.model_file.as_deref(),
            ..Default::default()
        };
        let warnings = save(&bundle, &opened.program, &options).unwrap();
        assert_eq!(warnings, [], "{name}");

        let again = open(&bundle).unwrap();
        assert_eq!((again.kind, again.warnings.len()), (Kind::Bundle, 0), "{name}");
        assert_eq!(again.interface("main"), opened.interface("main"), "{name}");
        let inputs = npz::load(models.join(name).join("in.npz")).unwrap();
        let (want, got) = (outputs(&package, &inputs), outputs(&bundle, &inputs));
        assert!(!want.is_empty());
        for ((a, x), (b, y)) in want.iter().zip(&got) {
            assert_eq!((a, x.ty()), (b, y.ty()), "{name}");
            assert!(x.bytes() == y.bytes(), "{name}: `{a}` differs");
        }
    }
}
