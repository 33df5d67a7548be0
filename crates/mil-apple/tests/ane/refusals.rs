//! What this path cannot take is refused with a remedy, before anything is compiled.

use crate::common::*;
use mil_check::Checked;
use mil_run::{RunError, Runtime};
use std::sync::Arc;

fn refusal(checked: Arc<Checked>) -> Vec<(&'static str, String)> {
    let error = runtime().load(checked, &mil_run::Options::default()).map(|_| ()).unwrap_err();
    let RunError::Refused(all) = error else { panic!("{error}") };
    all.into_iter().map(|d| (d.code, format!("{} {}", d.message, d.help.unwrap_or_default()))).collect()
}

#[test]
fn states_are_refused_and_a_runtime_that_keeps_them_is_named() {
    let _alone = alone();
    let found = refusal(program(
        "tensor<fp16, [4]> x, state<tensor<fp16, [4]>> s",
        "tensor<fp16, [4]> r = read_state(input = s);\ntensor<fp16, [4]> y = add(x = x, y = r);\n",
        "y",
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "apple/unsupported");
    assert!(found[0].1.contains("`s`") && found[0].1.contains("e5rt"), "{found:?}");
}

#[test]
fn all_ports_of_wrong_types_are_refused_at_once() {
    let _alone = alone();
    let found = refusal(program(
        "tensor<int32, [4]> a, tensor<fp16, [4]> x",
        "tensor<bool, [4]> y = greater(x = x, y = fp16(0));\ntensor<int32, [4]> b = add(x = a, y = int32(1));\n",
        "y, b",
    ));
    let codes: Vec<_> = found.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["apple/port-type"; 3], "{found:?}");
}

#[test]
fn open_sizes_are_refused() {
    let _alone = alone();
    let found = refusal(program("tensor<fp16, [?, 4]> x", "tensor<fp16, [?, 4]> y = relu(x = x);\n", "y"));
    assert!(found.iter().all(|(code, _)| *code == "apple/open-size"), "{found:?}");
}
