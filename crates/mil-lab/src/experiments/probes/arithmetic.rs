//! probe-arithmetic: a product on whose bits the candidates differ nearly everywhere.

use crate::bench::{Bench, Program, Stop};
use crate::card::{Experiment, Risk};
use crate::mil;
use mil_ane::fingerprint::{self, probe};

/// The card of probe-arithmetic.
pub static PROBE_ARITHMETIC: Experiment = Experiment {
    id: "probe-arithmetic",
    title: "which arithmetic each path computes a matrix product with",
    page: include_str!("arithmetic.md"),
    risk: Risk::Safe,
    steps: Some(run),
};

const BODY: &str = "tensor<fp16, [64, 256]> a = cast(dtype = string(\"fp16\"), x = p);
tensor<fp16, [256, 64]> b = cast(dtype = string(\"fp16\"), x = q);
tensor<fp16, [64, 64]> r = matmul(transpose_x = bool(false), transpose_y = bool(false), x = a, y = b);
tensor<fp32, [64, 64]> y = cast(dtype = string(\"fp32\"), x = r);\n";

fn run(bench: &mut Bench) -> Result<(), Stop> {
    let (a, b) = probe::matmul(64, 256, 64, bench.random().u64(..))?;
    let text = mil::main("ios17", "tensor<fp32, [64, 256]> p, tensor<fp32, [256, 64]> q", BODY, "y");
    let inputs = vec![("p", mil::tensor(&a, &[64, 256])?), ("q", mil::tensor(&b, &[256, 64])?)];
    let program = Program::new(&text, inputs)?;
    for (kind, outputs) in bench.on_every_runtime(&program, "")? {
        let y = outputs.first().map(|(_, t)| mil::values(t)).unwrap_or_default();
        bench.arithmetic(kind.name(), &fingerprint::matmul(&a, &b, &y)?);
    }
    Ok(())
}
