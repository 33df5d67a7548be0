//! Models of several functions, and inputs of several shapes: from text, packages and bundles.

use milwright::{LoadOptions, Model, OpenOptions, SaveOptions, Tensor, open_text, save};
use std::path::{Path, PathBuf};

/// Two functions that share a weight; each has a state of its own and takes up to four rows.
const SOURCE: &str = r#"program(1.3)
{
    func add_up<ios18>(tensor<fp32, [?, 12]> x) [FlexibleShapeInformation = tuple<tuple<string, dict<string, tensor<int32, [?]>>>, tuple<string, dict<string, list<tensor<int32, [2]>, ?>>>>((("DefaultShapes", {{"x", [1, 12]}}), ("RangeDims", {{"x", [[1, 4], [12, 12]]}})))] {
            tensor<fp32, [12]> w = const()[val = tensor<fp32, [12]>([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])];
            tensor<fp32, [?, 12]> y = add(x = x, y = w);
        } -> (y);
    func main<ios18>(tensor<fp32, [?, 12]> x) [FlexibleShapeInformation = tuple<tuple<string, dict<string, tensor<int32, [?]>>>, tuple<string, dict<string, list<tensor<int32, [2]>, ?>>>>((("DefaultShapes", {{"x", [2, 12]}}), ("RangeDims", {{"x", [[1, 4], [12, 12]]}})))] {
            tensor<fp32, [12]> w = const()[val = tensor<fp32, [12]>([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])];
            tensor<fp32, [?, 12]> y = mul(x = x, y = w);
        } -> (y);
}"#;

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn load(path: &Path, function: Option<&str>) -> Model {
    let function = function.map(str::to_owned);
    let options = LoadOptions { function, threads: Some(1), ..Default::default() };
    Model::load(path, &options).unwrap_or_else(|f| panic!("{f}"))
}

fn last(model: &Model, rows: usize) -> Result<f64, String> {
    let x = Tensor::from_f32(&[rows, 12], &vec![3.0; rows * 12]).unwrap();
    let outputs = model.session().unwrap().run(&[("x".to_owned(), x)]).map_err(|e| e.to_string())?;
    assert_eq!(outputs[0].1.shape(), [rows, 12]);
    Ok(*outputs[0].1.to_f64().last().unwrap())
}

#[test]
fn functions_run_by_name_at_every_shape_they_allow() {
    let opened = open_text("functions.mil", SOURCE.to_owned(), ".", &OpenOptions::default()).unwrap();
    for name in ["functions.mil", "functions.mlpackage", "functions.mlmodelc"] {
        let path = place(name);
        let _ = std::fs::remove_file(&path);
        save(&path, &opened.program, &SaveOptions::default()).unwrap_or_else(|f| panic!("{f}"));
        let (main, named, other) =
            (load(&path, None), load(&path, Some("main")), load(&path, Some("add_up")));
        assert_eq!(
            (main.inputs()[0].usual_shape.as_slice(), other.inputs()[0].usual_shape.as_slice()),
            (&[2, 12][..], &[1, 12][..]),
            "{name}"
        );
        for rows in [1, 4, 2, 4] {
            assert_eq!(last(&main, rows), Ok(36.0), "{name}");
            assert_eq!(last(&named, rows), Ok(36.0), "{name}");
            assert_eq!(last(&other, rows), Ok(15.0), "{name}");
        }
        let error = last(&main, 5).unwrap_err();
        assert!(error.contains("1 to 4"), "{name}: {error}");
        let options = LoadOptions { function: Some("mian".into()), ..Default::default() };
        let failure = Model::load(&path, &options).err().unwrap();
        assert!(failure.to_string().contains("add_up, main"), "{name}: {failure}");
    }
}
