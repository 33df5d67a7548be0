//! Tensors of unknown rank: they run, through every format, and a declaration that turns out wrong is a failure.

use milwright::{LoadOptions, Model, OpenOptions, RuntimeKind, SaveOptions, Tensor, open, open_text, save};
use std::path::PathBuf;

const SOURCE: &str = r#"program(1.3)
{
    func main<ios17>(tensor<int32, [?]> sizes) {
            tensor<fp32, ?> filled = fill(shape = sizes, value = fp32(0x1p+1));
            tensor<fp32, ?> y = mul(x = filled, y = fp32(0x1.8p+1));
        } -> (y);
}"#;

fn sizes(of: &[i64]) -> Vec<(String, Tensor)> {
    vec![("sizes".to_owned(), Tensor::from_i64(milwright::DType::Int32, &[of.len()], of).unwrap())]
}

fn text(source: &str) -> milwright::Opened {
    open_text("unranked.mil", source.to_owned(), ".", &OpenOptions::default()).unwrap()
}

#[test]
fn the_rank_is_that_of_the_run() {
    for runtime in [RuntimeKind::Cpu, RuntimeKind::Reference] {
        let model = Model::new(text(SOURCE), &LoadOptions { runtime, ..Default::default() }).unwrap();
        let mut session = model.session().unwrap();
        for wanted in [&[2i64, 1, 3][..], &[4], &[1, 1], &[2, 1, 3]] {
            let outputs = session.run(&sizes(wanted)).unwrap();
            let shape: Vec<i64> = outputs[0].1.shape().iter().map(|&n| n as i64).collect();
            assert_eq!(shape, wanted);
            assert!(outputs[0].1.to_f64().iter().all(|&v| v == 6.0));
        }
    }
}

#[test]
fn a_model_keeps_it() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("unranked.mlmodel");
    let opened = text(SOURCE);
    // Core ML cannot take an input of which it knows no size, but the description says no more than that.
    save(&path, &opened.program, &SaveOptions::default()).unwrap();
    let again = open(&path).unwrap();
    let body = |of: &milwright::Opened| {
        let text = milwright::text(&of.program);
        text.split_once("tensor<fp32, ?> filled").map(|(_, rest)| rest.to_owned())
    };
    assert!(body(&opened).is_some());
    assert_eq!(body(&again), body(&opened));
}

#[test]
fn a_wrong_declaration_fails_the_run() {
    // The sizes depend on data, so that nothing before the run can tell.
    let source = SOURCE.replace("tensor<fp32, ?> y", "tensor<fp32, [2, 3]> y").replace(
        "tensor<fp32, ?> filled = fill(shape = sizes,",
        "tensor<int32, [?, 1]> at = non_zero(x = sizes);
            tensor<int32, [?]> flat = squeeze(axes = tensor<int32, [1]>([1]), x = at);
            tensor<fp32, ?> filled = fill(shape = flat,",
    );
    for runtime in [RuntimeKind::Cpu, RuntimeKind::Reference] {
        let model = Model::new(text(&source), &LoadOptions { runtime, ..Default::default() }).unwrap();
        let mut session = model.session().unwrap();
        assert!(session.run(&sizes(&[0, 0, 1, 1])).is_ok());
        let error = session.run(&sizes(&[0, 1])).unwrap_err();
        assert!(error.diagnostics().iter().any(|d| d.code == "run/declared-type"), "{error}");
    }
}
