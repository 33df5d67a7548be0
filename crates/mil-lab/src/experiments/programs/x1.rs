//! X1: does custom MIL run at all?

use crate::bench::{Bench, Program, Stop};
use crate::card::{Experiment, Risk};
use crate::mil;

/// The card of X1.
pub static X1: Experiment = Experiment {
    id: "X1",
    title: "custom MIL: relu, gelu, mul and add, softmax, layer_norm",
    page: include_str!("x1.md"),
    risk: Risk::Safe,
    steps: Some(run),
};

/// Each program's name and body, from `h` to `r`, both `[256, 64]` of fp16.
const BODIES: [(&str, &str); 5] = [
    ("relu", "T r = relu(x = h);\n"),
    ("gelu", "T r = gelu(mode = string(\"TANH_APPROXIMATION\"), x = h);\n"),
    ("affine", "T s = mul(x = h, y = fp16(0.5));\nT r = add(x = s, y = fp16(1.0));\n"),
    ("softmax", "T r = softmax(axis = int32(-1), x = h);\n"),
    ("layer_norm", "T r = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(1e-5), x = h);\n"),
];

fn run(bench: &mut Bench) -> Result<(), Stop> {
    let mut random = bench.random();
    for (name, body) in BODIES {
        let x = mil::uniform(&mut random, 256, 64, 2.0)?;
        let body = format!(
            "T h = cast(dtype = string(\"fp16\"), x = x);\n{body}tensor<fp32, [256, 64]> y = cast(dtype = string(\"fp32\"), x = r);\n"
        );
        let body = body.replace("T ", "tensor<fp16, [256, 64]> ");
        let text = mil::main("ios17", "tensor<fp32, [256, 64]> x", &body, "y");
        let program = Program::new(&text, vec![("x", mil::tensor(&x, &[256, 64])?)])?;
        for (kind, outputs) in bench.on_every_runtime(&program, name)? {
            if name == "layer_norm" {
                let y = outputs.first().map(|(_, t)| t.to_f64()).unwrap_or_default();
                let n = y.len().max(1) as f64;
                let mean = y.iter().sum::<f64>() / n;
                let variance = y.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
                bench.found(format!("{kind} layer_norm mean, absolute"), mean.abs());
                bench.found(format!("{kind} layer_norm variance"), variance);
            }
        }
    }
    Ok(())
}
