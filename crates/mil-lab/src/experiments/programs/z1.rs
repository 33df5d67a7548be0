//! Z1: the backward pass of a linear layer.

use crate::bench::{Bench, Program, Stop};
use crate::card::{Experiment, Risk};
use crate::mil;
use crate::observation::Spread;
use mil_ane::fingerprint;

/// The card of Z1.
pub static Z1: Experiment = Experiment {
    id: "Z1",
    title: "backward pass of a linear layer: dX = dY W, dW = dY' dY",
    page: include_str!("z1.md"),
    risk: Risk::Safe,
    steps: Some(run),
};

const BODY: &str = "tensor<fp16, [128, 64]> g = cast(dtype = string(\"fp16\"), x = dy);
tensor<fp16, [64, 64]> v = cast(dtype = string(\"fp16\"), x = w);
tensor<fp16, [128, 64]> dx = matmul(transpose_x = bool(false), transpose_y = bool(false), x = g, y = v);
tensor<fp16, [64, 64]> dw = matmul(transpose_x = bool(true), transpose_y = bool(false), x = g, y = g);
tensor<fp16, [192, 64]> c = concat(axis = int32(0), interleave = bool(false), values = (dx, dw));
tensor<fp32, [192, 64]> y = cast(dtype = string(\"fp32\"), x = c);\n";

fn run(bench: &mut Bench) -> Result<(), Stop> {
    let mut random = bench.random();
    let dy = mil::uniform(&mut random, 128, 64, 0.3)?;
    let w = mil::uniform(&mut random, 64, 64, 0.3)?;
    let text = mil::main("ios17", "tensor<fp32, [128, 64]> dy, tensor<fp32, [64, 64]> w", BODY, "y");
    let inputs = vec![("dy", mil::tensor(&dy, &[128, 64])?), ("w", mil::tensor(&w, &[64, 64])?)];
    let program = Program::new(&text, inputs)?;
    let parts = [("dX", dy.clone(), w), ("dW", dy.transposed(), dy)];
    for (kind, outputs) in bench.on_every_runtime(&program, "")? {
        let y = outputs.first().map(|(_, t)| mil::values(t)).unwrap_or_default();
        let mut rest = y.as_slice();
        for (name, a, b) in &parts {
            let n = (a.rows() * b.cols()).min(rest.len());
            let (part, after) = rest.split_at(n);
            rest = after;
            let fit = fingerprint::matmul(a, b, part)?;
            bench.arithmetic(&format!("{kind} {name}"), &fit);
            let worst = mil::largest(part, &mil::product(a, b));
            bench.found(format!("{kind} {name} difference from float operands"), worst);
            let figure = format!("{name} difference from float operands");
            bench.figure(&figure, kind.name(), "", "", Spread::once(worst));
        }
    }
    Ok(())
}
