//! Programs give what the cpu runtime gives, bit for bit.

use crate::common::{alone, checked, checked_in, inputs, on_cpu, same, source};
use mil_apple::Kind;
use mil_apple::e5rt::{Devices, E5rt, Options};
use mil_check::Checked;
use mil_run::{Named, RunError, Runtime};
use std::path::Path;
use std::sync::Arc;

/// Runs a program twice in a session with different inputs, and compares.
fn compare(runtime: &dyn Runtime, checked: &Arc<Checked>) -> Result<(), RunError> {
    let mut session = runtime.load(checked.clone(), &mil_run::Options::default())?.session(None)?;
    for seed in [1, 2] {
        let inputs: Vec<Named> = inputs(checked, seed);
        same(&session.run(&inputs)?, &on_cpu(checked, &inputs));
    }
    Ok(())
}

fn runtime(devices: Devices) -> E5rt {
    E5rt::new(Options { devices, ..Options::default() }).unwrap()
}

#[test]
fn every_example_equals_the_cpu_runtime() {
    let _alone = alone();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let (mut ran, mut refused) = (0, Vec::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "mil") {
            continue;
        }
        let checked = checked_in(&std::fs::read_to_string(&path).unwrap(), &folder);
        compare(&runtime(Devices::Any), &checked).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        match compare(&runtime(Devices::NeuralEngine), &checked) {
            Ok(()) => ran += 1,
            Err(e) => refused.push((path.file_name().unwrap().to_owned(), e.to_string())),
        }
    }
    // Three examples compute in fp32, which the Neural Engine does not.
    assert!(ran >= 6, "{ran} examples; refused: {refused:?}");
    refused.sort();
    let names: Vec<_> = refused.iter().map(|(name, _)| name.to_str().unwrap()).collect();
    assert_eq!(names, ["affine.mil", "gelu.mil", "softmax.mil"]);
    assert!(refused.iter().all(|(_, why)| why.contains("apple/port-type")), "{refused:?}");
}

#[test]
fn a_placement_is_claimed_for_mask_4_only_and_marked_as_the_doubles() {
    let _alone = alone();
    let checked = checked(&source("tensor<fp16, [2]> x", "tensor<fp16, [2]> y = relu(x = x);", "y"));
    let placement = |runtime: &dyn Runtime| {
        let loaded = runtime.load(checked.clone(), &mil_run::Options::default()).unwrap();
        (loaded.runtime(), loaded.placement().to_string())
    };
    let (name, text) = placement(&*mil_apple::runtime(Kind::E5rt).unwrap());
    assert_eq!(name, "e5rt (double)");
    assert_eq!(text, "double (computed on this CPU): would be enforced on the ANE by e5rt device mask 4");
    for devices in [Devices::Cpu, Devices::Gpu, Devices::Any] {
        let (_, text) = placement(&runtime(devices));
        assert!(text.starts_with("double (computed on this CPU): unproven: e5rt device mask"), "{text}");
    }
}
