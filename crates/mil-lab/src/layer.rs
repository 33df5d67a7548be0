//! The small programs of the E5 experiments.

use crate::bench::{Program, Stop};
use crate::mil;
use mil_apple::mle5::Mle5Options;
use mil_apple::mle5::bench::Bench as Engine;
use mil_base::{DType, Tensor};

/// `relu(x * 0.5 + 1)` on that many channels and 64 positions, fp32 at the boundary and fp16 inside.
pub(crate) fn program(channels: usize) -> Result<Program, Stop> {
    let t = format!("tensor<fp16, [1, {channels}, 1, 64]>");
    let wide = t.replace("fp16", "fp32");
    let body = format!(
        "{t} h = cast(dtype = string(\"fp16\"), x = x);\n{t} a = mul(x = h, y = fp16(0.5));\n{t} b = add(x = a, y = fp16(1.0));\n{t} r = relu(x = b);\n{wide} y = cast(dtype = string(\"fp32\"), x = r);\n"
    );
    let text = mil::main("ios17", &format!("{wide} x"), &body, "y");
    Program::new(&text, vec![("x", random(DType::Fp32, channels)?)])
}

/// The program of the research's 256 channels, and Core ML's own engine for it.
pub(crate) fn engine() -> Result<(Program, Engine), Stop> {
    let program = program(256)?;
    let engine = Engine::open(program.checked().clone(), None, Mle5Options::default())?;
    Ok((program, engine))
}

/// One op from `x` to `y`, both fp16.
pub(crate) fn op(op: &str, channels: usize) -> Result<Program, Stop> {
    let t = format!("tensor<fp16, [1, {channels}, 1, 64]>");
    let text = mil::main("ios17", &format!("{t} x"), &format!("{t} y = {op};\n"), "y");
    Program::new(&text, vec![("x", random(DType::Fp16, channels)?)])
}

/// Random numbers between -2 and 2, the same each time.
fn random(dtype: DType, channels: usize) -> Result<Tensor, Stop> {
    let mut random = fastrand::Rng::with_seed(1);
    let values: Vec<f64> = (0..channels.saturating_mul(64)).map(|_| random.f64() * 4.0 - 2.0).collect();
    Tensor::from_f64(dtype, &[1, channels, 1, 64], &values).map_err(|e| Stop::wrong(format!("{e:?}")))
}
