//! Pipelines of ML Programs run as one model.

use mil_codec::package::proto::{
    ArrayFeatureType, FeatureDescription, FeatureType, Model as Message, ModelDescription, Pipeline,
    PipelineOf, array_feature_type::ArrayDataType, feature_type::Type as Feature,
};
use milwright::{
    Kind, LoadOptions, Model, OpenOptions, PipelineKind, Ranking, SaveOptions, Tensor, open, open_text, save,
};
use prost::Message as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Doubles `x`; hands on fp32.
const FIRST: &str = r#"program(1.3)
{
    func main<ios17>(tensor<fp32, [3]> x) {
            tensor<fp32, [3]> middle = mul(x = x, y = fp32(2.0));
        } -> (middle);
}"#;

/// Takes the middle as fp16, and an input of its own.
const SECOND: &str = r#"program(1.3)
{
    func main<ios17>(tensor<fp16, [3]> middle, tensor<fp16, [3]> shift) {
            tensor<fp16, [3]> y = add(x = middle, y = shift);
        } -> (y);
}"#;

/// Classifies the middle.
const CLASSES: &str = r#"program(1.3)
{
    func main<ios17>(tensor<fp32, [3]> middle) {
            list<string, 3> names = const()[val = list<string, 3>(["ant", "bee", "cat"])];
            string label, dict<string, fp64> odds = classify(classes = names, probabilities = middle);
        } -> (label, odds);
}"#;

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn stage(folder: &Path, name: &str, source: &str) -> PathBuf {
    let opened = open_text("stage.mil", source.to_owned(), ".", &OpenOptions::default()).unwrap();
    let path = folder.join(name);
    save(&path, &opened.program, &SaveOptions::default()).unwrap();
    path
}

fn pipeline(folder: &Path, stages: &[&str]) -> Pipeline {
    let bytes = |source: &&str| fs::read(stage(folder, "stage.mlmodel", source)).unwrap().into();
    Pipeline { models: stages.iter().map(bytes).collect(), names: vec!["first".into(), "second".into()] }
}

fn array(name: &str, dtype: ArrayDataType) -> FeatureDescription {
    let ty = ArrayFeatureType { shape: vec![3], data_type: dtype.into(), ..Default::default() };
    let ty = FeatureType { is_optional: false, r#type: Some(Feature::MultiArrayType(ty)) };
    FeatureDescription { name: name.into(), r#type: Some(ty), ..Default::default() }
}

fn tensor(values: &[f32]) -> Tensor {
    Tensor::from_f32(&[values.len()], values).unwrap()
}

fn run(path: &Path, inputs: &[(String, Tensor)]) -> Vec<(String, Tensor)> {
    let model = Model::load(path, &LoadOptions { threads: Some(1), ..Default::default() });
    model.unwrap_or_else(|f| panic!("{f}")).session().unwrap().run(inputs).unwrap_or_else(|e| panic!("{e}"))
}

fn description() -> ModelDescription {
    ModelDescription {
        input: vec![array("x", ArrayDataType::Float32), array("shift", ArrayDataType::Float16)],
        output: vec![array("y", ArrayDataType::Float16)],
        ..Default::default()
    }
}

#[test]
fn stages_hand_on_features_by_name() {
    let folder = folder("pipeline");
    let model = Message {
        specification_version: 8,
        description: Some(description()),
        pipeline: Some(pipeline(&folder, &[FIRST, SECOND])),
        ..Default::default()
    };
    let path = folder.join("whole.mlmodel");
    fs::write(&path, model.encode_to_vec()).unwrap();
    // The same as Apple's compiler lays out a bundle, and as one program in a package.
    let bundle = folder.join("whole.mlmodelc");
    stage(&bundle, "model0.mlmodelc", FIRST);
    stage(&bundle, "model1.mlmodelc", SECOND);
    for at in 0..2 {
        fs::rename(bundle.join(format!("model{at}.mlmodelc")), bundle.join(format!("model{at}"))).unwrap();
    }
    let schema = r#"[{"specificationVersion": 8,
        "inputSchema": [{"name": "x", "type": "MultiArray", "dataType": "Float32", "shape": "[3]"},
                        {"name": "shift", "type": "MultiArray", "dataType": "Float16", "shape": "[3]"}],
        "outputSchema": [{"name": "y", "type": "MultiArray", "dataType": "Float16", "shape": "[3]"}]}]"#;
    fs::write(bundle.join("metadata.json"), schema).unwrap();
    let package = folder.join("one.mlpackage");
    let opened = open(&path).unwrap();
    assert_eq!(opened.kind, Kind::Model);
    let options = SaveOptions { description: opened.description.as_ref(), ..Default::default() };
    assert_eq!(save(&package, &opened.program, &options).unwrap(), []);

    let inputs =
        vec![("x".to_owned(), tensor(&[1.0, 2.0, 3.0])), ("shift".to_owned(), tensor(&[0.5, 0.25, -6.0]))];
    for path in [&path, &bundle, &package] {
        let outputs = run(path, &inputs);
        let names: Vec<&str> = outputs.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["y"], "{}", path.display());
        assert_eq!(outputs[0].1.to_f64(), [2.5, 4.25, 0.0]);
    }
}

#[test]
fn a_pipeline_may_end_in_classes() {
    let folder = folder("pipeline_classes");
    let stages = Some(pipeline(&folder, &[FIRST, CLASSES]));
    let model = Message {
        specification_version: 8,
        pipeline_classifier: Some(PipelineOf { pipeline: stages }),
        ..Default::default()
    };
    let path = folder.join("whole.mlmodel");
    // Without outputs in the description there are none; so it says them.
    let text = |name: &str, ty| FeatureDescription {
        name: name.into(),
        r#type: Some(FeatureType { is_optional: false, r#type: Some(ty) }),
        ..Default::default()
    };
    let description = ModelDescription {
        input: vec![array("x", ArrayDataType::Float32)],
        output: vec![
            text("label", Feature::StringType(Default::default())),
            text("odds", Feature::DictionaryType(Default::default())),
        ],
        predicted_feature_name: "label".into(),
        predicted_probabilities_name: "odds".into(),
        ..Default::default()
    };
    fs::write(&path, Message { description: Some(description), ..model }.encode_to_vec()).unwrap();
    let outputs = run(&path, &[("x".to_owned(), tensor(&[0.125, 0.25, 0.125]))]);
    assert_eq!(outputs.iter().find(|(n, _)| n == "label").unwrap().1.item_str(), Some("bee"));
    let [ranking] = Ranking::all(&outputs).try_into().unwrap();
    assert_eq!(ranking.classes[0], ("bee".to_owned(), 0.5));

    // What it is goes into a bundle and comes back.
    let mut opened = open(&path).unwrap();
    opened.description.as_mut().unwrap().is_updatable = true;
    let bundle = folder.join("whole.mlmodelc");
    assert_eq!(save(&bundle, &opened.program, &SaveOptions::of(&opened)).unwrap(), []);
    let again = open(&bundle).unwrap();
    assert_eq!(again.pipeline.as_ref().unwrap().kind, PipelineKind::Classifier);
    assert_eq!(again.interface("main"), opened.interface("main"));
    let said = fs::read_to_string(bundle.join("metadata.json")).unwrap();
    for words in [
        "\"MLModelType_pipelineClassifier\"",
        "\"isUpdatable\": \"1\"",
        "\"predictedFeatureName\": \"label\"",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let ranked = run(&bundle, &[("x".to_owned(), tensor(&[0.125, 0.25, 0.125]))]);
    assert_eq!(Ranking::all(&ranked)[0].classes[0], ("bee".to_owned(), 0.5));
}

#[test]
fn what_is_wrong_with_a_pipeline_names_the_stage() {
    let folder = folder("pipeline_wrong");
    let path = folder.join("whole.mlmodel");
    let write = |pipeline| {
        let model =
            Message { description: Some(description()), pipeline: Some(pipeline), ..Default::default() };
        fs::write(&path, model.encode_to_vec()).unwrap();
        open(&path).unwrap_err()
    };
    let mut nested = pipeline(&folder, &[FIRST, SECOND]);
    nested.models[1] =
        Message { pipeline: Some(Pipeline::default()), ..Default::default() }.encode_to_vec().into();
    let failure = write(nested);
    assert_eq!(failure.diagnostics[0].code, "package/no-program", "a pipeline in it is empty");
    assert!(failure.path.ends_with("second"), "{}", failure.path.display());

    let longer = SECOND.replace("tensor<fp16, [3]> middle", "tensor<fp16, [4]> middle");
    let longer =
        longer.replace("tensor<fp16, [3]> shift", "tensor<fp16, [4]> shift").replace("[3]> y", "[4]> y");
    let failure = write(pipeline(&folder, &[FIRST, &longer]));
    assert!(failure.diagnostics.iter().any(|d| d.code == "link/shape"), "{failure}");
    assert_eq!(write(Pipeline::default()).diagnostics[0].code, "package/no-program");
}

/// Negates what comes out of the pipeline within.
const LAST: &str = r#"program(1.3)
{
    func main<ios17>(tensor<fp16, [3]> y) {
            tensor<fp16, [3]> z = mul(x = y, y = fp16(-1.0));
        } -> (z);
}"#;

/// A pipeline whose first stage is a pipeline.
fn nested(folder: &Path) -> Message {
    let inner = Message {
        specification_version: 8,
        description: Some(description()),
        pipeline: Some(pipeline(folder, &[FIRST, SECOND])),
        ..Default::default()
    };
    let last = fs::read(stage(folder, "last.mlmodel", LAST)).unwrap();
    let stages = Pipeline { models: vec![inner.encode_to_vec().into(), last.into()], names: Vec::new() };
    let outer = ModelDescription { output: vec![array("z", ArrayDataType::Float16)], ..description() };
    Message {
        specification_version: 8,
        description: Some(outer),
        pipeline: Some(stages),
        ..Default::default()
    }
}

fn z(path: &Path) -> Vec<f64> {
    let inputs =
        vec![("x".to_owned(), tensor(&[1.0, 2.0, 3.0])), ("shift".to_owned(), tensor(&[0.5, 0.25, -6.0]))];
    let outputs = run(path, &inputs);
    assert_eq!(outputs.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["z"], "{}", path.display());
    outputs[0].1.to_f64()
}

/// Every file under a folder, by its path there.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().flatten().map(|e| e.path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false => found.push((entry.strip_prefix(folder).unwrap().into(), fs::read(&entry).unwrap())),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_pipeline_in_a_pipeline_runs_and_is_compiled_with_its_stages() {
    let folder = folder("pipeline_nested");
    let path = folder.join("whole.mlmodel");
    fs::write(&path, nested(&folder).encode_to_vec()).unwrap();
    assert_eq!(z(&path), [-2.5, -4.25, 0.0]);

    let opened = open(&path).unwrap();
    let (first, again) = (folder.join("first.mlmodelc"), folder.join("again.mlmodelc"));
    assert_eq!(save(&first, &opened.program, &SaveOptions::of(&opened)).unwrap(), []);
    assert_eq!(z(&first), [-2.5, -4.25, 0.0]);
    for file in ["model0/model0/model.mil", "model0/model1/model.mil", "model1/model.mil", "metadata.json"] {
        assert!(first.join(file).is_file(), "{file}");
    }
    assert!(!first.join("model.mil").exists(), "stages stay apart");

    let opened = open(&first).unwrap();
    let stages = &opened.pipeline.as_ref().unwrap().stages;
    let names: Vec<&str> = stages.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["model0", "model1"]);
    let inner = &stages[0].1.pipeline.as_ref().unwrap().stages;
    assert_eq!(inner.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(save(&again, &opened.program, &SaveOptions::of(&opened)).unwrap(), []);
    // What was compiled has no hash in a bundle that was read from a bundle, nor do the names of classes agree.
    let own = |name: &Path| !name.starts_with("analytics") && name != Path::new("metadata.json");
    let kept = |all: Vec<(PathBuf, Vec<u8>)>| all.into_iter().filter(|(n, _)| own(n)).collect::<Vec<_>>();
    assert!(kept(files(&first)) == kept(files(&again)));

    // As one program it goes into a package.
    let package = folder.join("one.mlpackage");
    assert_eq!(save(&package, &opened.program, &SaveOptions::of(&opened)).unwrap(), []);
    assert_eq!(z(&package), [-2.5, -4.25, 0.0]);
}

#[test]
fn pipelines_without_end_are_refused() {
    let folder = folder("pipeline_deep");
    let path = folder.join("deep.mlmodel");
    let mut bytes = fs::read(stage(&folder, "stage.mlmodel", FIRST)).unwrap();
    for depth in 1..=17 {
        let pipeline = Pipeline { models: vec![bytes.into()], names: Vec::new() };
        let said = ModelDescription {
            input: vec![array("x", ArrayDataType::Float32)],
            output: vec![array("middle", ArrayDataType::Float32)],
            ..Default::default()
        };
        let model = Message { description: Some(said), pipeline: Some(pipeline), ..Default::default() };
        bytes = model.encode_to_vec();
        if depth >= 16 {
            fs::write(&path, &bytes).unwrap();
            let code = open(&path).map(|_| ()).map_err(|failure| failure.diagnostics[0].code);
            assert_eq!(code, if depth == 16 { Ok(()) } else { Err("package/pipeline-depth") });
        }
    }
}
