//! A package compiled to a bundle is the same model: the same interface, and the same numbers to the last bit.

use milwright::{
    DType, Kind, LoadOptions, Model, OpenOptions, SaveOptions, Tensor, npz, open, open_text, save,
};
use std::fs;
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
        let warnings = save(&bundle, &opened.program, &SaveOptions::of(&opened)).unwrap();
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

/// A weight of the packed type with every value that it has, in words of MIL, and the rest of its op.
fn packed_weight(dtype: &str, bits: u32) -> String {
    let values = 1_i64 << bits;
    let row = |row: i64| {
        let value = |at: i64| (row * 8 + at) % values - if dtype == "int4" { 8 } else { 0 };
        format!("[{}]", (0..8).map(|at| value(at).to_string()).collect::<Vec<_>>().join(", "))
    };
    let rows = (0..8).map(row).collect::<Vec<_>>().join(", ");
    let packed = format!("tensor<{dtype}, [8, 8]>([{rows}])");
    if dtype == "int4" {
        return format!(
            "constexpr_blockwise_shift_scale(data = {packed}, scale = tensor<fp16, [8, 1]>([[0.5], [1], [2], [4], [0.5], [1], [2], [4]]))"
        );
    }
    let table = (0..values).map(|v| format!("[{}.25]", v * v - 7)).collect::<Vec<_>>().join(", ");
    format!(
        "constexpr_lut_to_dense(indices = {packed}, lut = tensor<fp16, [1, 1, {values}, 1]>([[[{table}]]]))"
    )
}

/// Sums of weighted inputs, kept in a state.
fn stateful(weight: &str) -> String {
    format!(
        r#"program(1.3)
{{
    func main<ios18>(tensor<fp16, [8, 8]> x, state<tensor<fp16, [8, 8]>> sums) {{
            tensor<fp16, [8, 8]> w = {weight};
            tensor<fp16, [8, 8]> before = read_state(input = sums);
            tensor<fp16, [8, 8]> weighted = mul(x = x, y = w);
            tensor<fp16, [8, 8]> y = add(x = before, y = weighted);
            write_state(data = y, input = sums);
        }} -> (y);
}}"#
    )
}

/// The outputs of three steps, and the state after them.
fn three_steps(path: &Path) -> Vec<(String, Tensor)> {
    let values: Vec<f64> = (0..64).map(|i| f64::from(i % 13) / 8.0 - 0.5).collect();
    let x = Tensor::from_f64(DType::Fp16, &[8, 8], &values).unwrap();
    let model = Model::load(path, &LoadOptions { threads: Some(1), ..Default::default() });
    let mut session = model.unwrap_or_else(|f| panic!("{f}")).session().unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.extend(session.run(&[("x".to_owned(), x.clone())]).unwrap_or_else(|e| panic!("{e}")));
    }
    seen.extend(session.states());
    seen
}

#[test]
fn states_and_every_packed_type_go_through_package_and_bundle() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("packed");
    let _ = fs::remove_dir_all(&folder);
    for (dtype, bits) in [("int4", 4), ("uint1", 1), ("uint2", 2), ("uint3", 3), ("uint4", 4), ("uint6", 6)] {
        let source = stateful(&packed_weight(dtype, bits));
        let start = folder.join(format!("{dtype}.mil"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(&start, &source).unwrap();
        let want = three_steps(&start);
        assert_ne!(want[0].1, want[2].1, "the state counts");
        let mut opened = open_text(&start, source, &folder, &OpenOptions::default()).unwrap();
        for name in ["a.mlpackage", "b.mlmodelc", "c.mlpackage", "d.mlmodel", "e.mlmodelc"] {
            let path = folder.join(format!("{dtype}-{name}"));
            assert_eq!(
                save(&path, &opened.program, &SaveOptions::of(&opened)).unwrap(),
                [],
                "{dtype} {name}"
            );
            opened = open(&path).unwrap();
            assert_eq!(opened.warnings, [], "{dtype} {name}");
            let states = &opened.interface("main").unwrap().states;
            assert_eq!(
                states.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
                ["sums"],
                "{dtype} {name}"
            );
            assert_eq!(three_steps(&path), want, "{dtype} {name}");
        }
        let bundle = folder.join(format!("{dtype}-b.mlmodelc"));
        let text = fs::read_to_string(bundle.join("model.mil")).unwrap();
        let stored = format!("tensor<{dtype}, [8, 8]>(BLOBFILE(");
        assert!(text.contains(&stored) && text.contains("state<tensor<fp16, [8, 8]>> sums"), "{text}");
        let said = fs::read_to_string(bundle.join("metadata.json")).unwrap();
        let precision = if dtype == "int4" { "Int4".to_owned() } else { format!("({bits} bits)") };
        assert!(said.contains(&precision) && said.contains("\"State\""), "{dtype}: {said}");
    }
}
