//! Y1: attention as one op.

use crate::bench::{Bench, Program, Stop};
use crate::card::{Experiment, Risk};
use crate::mil;
use crate::observation::Spread;
use mil_ane::Attention;
use mil_ane::fingerprint::{self, Fit};

/// The card of Y1.
pub static Y1: Experiment = Experiment {
    id: "Y1",
    title: "scaled_dot_product_attention, 256 positions of 64",
    page: include_str!("y1.md"),
    risk: Risk::Safe,
    steps: Some(run),
};

const SHAPE: [usize; 4] = [1, 1, 256, 64];

fn run(bench: &mut Bench) -> Result<(), Stop> {
    let x = mil::uniform(&mut bench.random(), 256, 64, 0.5)?;
    let body = "tensor<fp16, [1, 1, 256, 64]> h = cast(dtype = string(\"fp16\"), x = x);
tensor<fp16, [1, 1, 256, 64]> m = scaled_dot_product_attention(key = h, query = h, value = h);
tensor<fp32, [1, 1, 256, 64]> y = cast(dtype = string(\"fp32\"), x = m);\n";
    let text = mil::main("ios18", "tensor<fp32, [1, 1, 256, 64]> x", body, "y");
    let program = Program::new(&text, vec![("x", mil::tensor(&x, &SHAPE)?)])?;
    let exact = mil::attention(&x);
    let of = Attention { q: x.clone(), k: x.clone(), v: x, scale: 0.125 };
    // Comparing takes longer than computing, and paths with the same bits have the same arithmetic.
    let mut judged: Vec<(Vec<f32>, Fit)> = Vec::new();
    for (kind, outputs) in bench.on_every_runtime(&program, "")? {
        let y = outputs.first().map(|(_, t)| mil::values(t)).unwrap_or_default();
        let fit = match judged.iter().find(|(bits, _)| *bits == y) {
            Some((_, fit)) => fit.clone(),
            None => fingerprint::attention(&of, &y)?,
        };
        bench.arithmetic(kind.name(), &fit);
        let worst = mil::largest(&y, &exact);
        bench.figure("difference from float operands", kind.name(), "", "", Spread::once(worst));
        judged.push((y, fit));
    }
    Ok(())
}
