//! What runs gives what `cpu` gives, bit for bit.

use crate::common::*;
use mil_apple::ane::{Ane, Options, Route};
use mil_run::Runtime;

#[test]
fn the_programs_of_the_research_are_those_of_cpu() {
    let _alone = alone();
    for name in [
        "relu.mil",
        "gelu.mil",
        "affine.mil",
        "softmax.mil",
        "layer_norm.mil",
        "attention.mil",
        "linear.mil",
        "transformer_block.mil",
        "backward.mil",
    ] {
        let checked = example(name);
        let given = inputs(&checked, None, 1);
        assert_eq!(outputs(&runtime(), &checked, None, &given), on_cpu(&checked, None, &given), "{name}");
    }
}

#[test]
fn every_route_computes_the_same() {
    let _alone = alone();
    let checked = example("backward.mil");
    let given = inputs(&checked, None, 2);
    let want = on_cpu(&checked, None, &given);
    for route in Route::ALL {
        let runtime = Ane::new(Options { route, ..options() }).unwrap();
        assert_eq!(outputs(&runtime, &checked, None, &given), want, "{route:?}");
    }
}

#[test]
fn the_runtime_says_double() {
    assert_eq!(runtime().name(), "ane (double)");
    let _alone = alone();
    let loaded = runtime().load(example("relu.mil"), &mil_run::Options::default()).unwrap();
    assert!(loaded.placement().to_string().starts_with("double"));
}

#[test]
fn names_decide_whatever_the_order_of_declaration() {
    let _alone = alone();
    // Different sizes too: every surface has the size of the largest.
    let checked = program(
        "tensor<fp16, [2, 8]> zeta, tensor<fp16, [8]> alpha, tensor<fp32, [1]> mid",
        "tensor<fp16, [1]> m = cast(dtype = string(\"fp16\"), x = mid);
tensor<fp16, [2, 8]> s = sub(x = zeta, y = alpha);
tensor<fp16, [2, 8]> y = mul(x = s, y = m);
tensor<fp16, [8]> b = exp(x = alpha);
",
        "y, b",
    );
    let given = inputs(&checked, None, 3);
    assert_eq!(outputs(&runtime(), &checked, None, &given), on_cpu(&checked, None, &given));
}

#[test]
fn functions_are_procedures_of_one_program() {
    let _alone = alone();
    let function = |name: &str, op: &str| {
        format!(
            "func {name}<ios18>(tensor<fp16, [4]> x, tensor<fp16, [4]> a) {{ tensor<fp16, [4]> y = {op}(x = x, y = a); }} -> (y);\n"
        )
    };
    let text = format!(
        "program(1.3)\n{{\n{}{}{}}}\n",
        function("zero", "sub"),
        function("main", "add"),
        function("two", "mul")
    );
    let checked = checked(&text);
    let loaded = runtime().load(checked.clone(), &mil_run::Options::default()).unwrap();
    assert_eq!(mil_doubles::ane::compiles(), 1);
    for name in ["zero", "main", "two"] {
        let given = inputs(&checked, Some(name), 4);
        let got = loaded.session(Some(name)).unwrap().run(&given).unwrap();
        assert_eq!(got, on_cpu(&checked, Some(name), &given), "{name}");
    }
}
