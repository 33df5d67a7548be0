//! Y3: a transformer block as one program.

use crate::bench::{Bench, Program, Stop};
use crate::card::{Experiment, Risk};
use crate::mil;

/// The card of Y3.
pub static Y3: Experiment = Experiment {
    id: "Y3",
    title: "a whole transformer block in one program",
    page: include_str!("y3.md"),
    risk: Risk::Safe,
    steps: Some(run),
};

const BODY: &str = "T h = cast(dtype = string(\"fp16\"), x = x);
T n1 = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(1e-5), x = h);
tensor<fp16, [1, 1, 256, 64]> q = expand_dims(axes = tensor<int32, [2]>([0, 1]), x = n1);
tensor<fp16, [1, 1, 256, 64]> m = scaled_dot_product_attention(key = q, query = q, value = q);
T s = squeeze(axes = tensor<int32, [2]>([0, 1]), x = m);
T a = add(x = h, y = s);
T n2 = layer_norm(axes = tensor<int32, [1]>([-1]), epsilon = fp16(1e-5), x = a);
tensor<fp16, [256, 128]> f = linear(bias = b1, weight = w1, x = n2);
tensor<fp16, [256, 128]> g = gelu(mode = string(\"TANH_APPROXIMATION\"), x = f);
T o = linear(bias = b2, weight = w2, x = g);
T r = add(x = a, y = o);
tensor<fp32, [256, 64]> y = cast(dtype = string(\"fp32\"), x = r);\n";

fn run(bench: &mut Bench) -> Result<(), Stop> {
    let mut random = bench.random();
    let x = mil::uniform(&mut random, 256, 64, 0.5)?;
    let mut constants = String::new();
    for (name, rows, cols, shape) in [
        ("w1", 128, 64, &[128, 64][..]),
        ("w2", 64, 128, &[64, 128]),
        ("b1", 1, 128, &[128]),
        ("b2", 1, 64, &[64]),
    ] {
        constants += &mil::constant(name, &mil::uniform(&mut random, rows, cols, 0.1)?, shape);
    }
    let body = constants + &BODY.replace("T ", "tensor<fp16, [256, 64]> ");
    let text = mil::main("ios18", "tensor<fp32, [256, 64]> x", &body, "y");
    let program = Program::new(&text, vec![("x", mil::tensor(&x, &[256, 64])?)])?;
    for (kind, outputs) in bench.on_every_runtime(&program, "")? {
        let y = outputs.first().map(|(_, t)| t.to_f64()).unwrap_or_default();
        let mean = y.iter().map(|v| v.abs()).sum::<f64>() / y.len().max(1) as f64;
        bench.found(format!("{kind} mean of magnitudes"), mean);
    }
    Ok(())
}
