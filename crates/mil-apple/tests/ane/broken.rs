//! A double that behaves otherwise is noticed: by an error, or by other results than those of `cpu`.

use crate::common::*;
use mil_doubles::behaviour::break_one;
use mil_run::{Named, RunError, Runtime};

fn two_by_two() -> std::sync::Arc<mil_check::Checked> {
    program(
        "tensor<fp16, [4]> zeta, tensor<fp16, [4]> alpha",
        "tensor<fp16, [4]> y = sub(x = zeta, y = alpha);\ntensor<fp16, [4]> b = exp(x = alpha);\n",
        "y, b",
    )
}

fn run(given: &[Named]) -> Result<Vec<Named>, RunError> {
    let loaded = runtime().load(two_by_two(), &mil_run::Options::default())?;
    loaded.session(None)?.run(given)
}

#[test]
fn another_binding_gives_other_results() {
    let _alone = alone();
    let given = inputs(&two_by_two(), None, 1);
    let want = on_cpu(&two_by_two(), None, &given);
    assert_eq!(run(&given).unwrap(), want);
    for slug in ["ane/alphabetical-inputs", "ane/alphabetical-outputs"] {
        let _broken = break_one(slug).unwrap();
        assert_ne!(run(&given).unwrap(), want, "{slug}");
    }
    assert_eq!(run(&given).unwrap(), want);
}

#[test]
fn a_report_of_success_that_wrote_nothing_is_not_believed() {
    let _alone = alone();
    let given = inputs(&two_by_two(), None, 1);
    let _broken = break_one("ane/writes-outputs").unwrap();
    let RunError::Refused(all) = run(&given).unwrap_err() else { panic!() };
    assert_eq!(all[0].code, "apple/nothing-written");
    assert!(
        all[0].message.contains("`y`") && all[0].message.contains("evaluateWithQoS"),
        "{}",
        all[0].message
    );
}
