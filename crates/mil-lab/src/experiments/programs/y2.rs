//! Y2: a linear layer with constant weights.

use crate::bench::{Bench, Program, Stop};
use crate::card::{Experiment, Risk};
use crate::mil;
use crate::observation::Spread;
use mil_ane::fingerprint;

/// The card of Y2.
pub static Y2: Experiment = Experiment {
    id: "Y2",
    title: "linear 64 to 64 with weights in the program",
    page: include_str!("y2.md"),
    risk: Risk::Safe,
    steps: Some(run),
};

fn run(bench: &mut Bench) -> Result<(), Stop> {
    let mut random = bench.random();
    let x = mil::uniform(&mut random, 256, 64, 0.5)?;
    let w = mil::uniform(&mut random, 64, 64, 0.1)?;
    let bias = mil::uniform(&mut random, 1, 64, 0.01)?;
    let body = format!(
        "{}{}tensor<fp16, [256, 64]> h = cast(dtype = string(\"fp16\"), x = x);
tensor<fp16, [256, 64]> r = linear(bias = b, weight = w, x = h);
tensor<fp32, [256, 64]> y = cast(dtype = string(\"fp32\"), x = r);\n",
        mil::constant("w", &w, &[64, 64]),
        mil::constant("b", &bias, &[64]),
    );
    let text = mil::main("ios17", "tensor<fp32, [256, 64]> x", &body, "y");
    let program = Program::new(&text, vec![("x", mil::tensor(&x, &[256, 64])?)])?;
    let exact = mil::product(&x, &w.transposed());
    let exact: Vec<f64> =
        exact.iter().zip(bias.values().iter().cycle()).map(|(v, b)| v + f64::from(*b)).collect();
    for (kind, outputs) in bench.on_every_runtime(&program, "")? {
        let y = outputs.first().map(|(_, t)| mil::values(t)).unwrap_or_default();
        bench.arithmetic(kind.name(), &fingerprint::linear(&x, &w, Some(bias.values()), &y)?);
        let worst = mil::largest(&y, &exact);
        bench.figure("difference from float operands", kind.name(), "", "", Spread::once(worst));
    }
    Ok(())
}
