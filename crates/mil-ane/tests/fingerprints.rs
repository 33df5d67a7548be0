//! The public fingerprints of the engine's arithmetic: relative errors that ANEForge 0.4.0 (MIT) stores for inputs known by their seed.
//!
//! Values and model: `facts/ane-matmul-arithmetic.md` section 2. Inputs: that package's `bench/device_saturation_sweep.py`,
//! `device_compare_wattcomplete.py`, `gemv_bandwidth_sweep.py` and `device_serving_sweep.py`. The long cases are `--ignored`; run them with
//! `--release`.

// The figures stand as they were published.
#![allow(clippy::excessive_precision)]

mod support;

use mil_ane::{Arithmetic, Matrix};
use support::{Normals, agrees, odd, relative};

/// Relative error of the engine's product, against f64 on the operands before rounding.
///
/// `x [m, k]`, `w [n, k]`, both f64 as the script has them.
fn error(x: &[f64], w: &[f64], k: usize) -> f64 {
    let narrow = |v: &[f64]| Matrix::new(v.len() / k, k, v.iter().map(|v| odd(*v)).collect()).unwrap();
    let got = Arithmetic::Engine.linear(&narrow(x), &narrow(w), None).unwrap();
    let exact = x.chunks_exact(k).flat_map(|x| w.chunks_exact(k).map(|w| dot(x, w)));
    relative(got.values(), exact)
}

fn dot(x: &[f64], w: &[f64]) -> f64 {
    x.iter().zip(w).map(|(a, b)| a * b).sum()
}

/// As `x.astype(float32) / sqrt(k)` in NumPy 2: the quotient is f64.
fn scaled(normals: Vec<f64>, k: usize) -> Vec<f64> {
    normals.into_iter().map(|v| f64::from(v as f32) / (k as f64).sqrt()).collect()
}

/// As `x.astype(float32) / float32(sqrt(k))`: the quotient is f32.
fn scaled_narrow(normals: Vec<f64>, k: usize) -> Vec<f64> {
    normals.into_iter().map(|v| f64::from(v as f32 / (k as f64).sqrt() as f32)).collect()
}

fn product(m: usize, k: usize, n: usize) -> f64 {
    let mut random = Normals::seeded(0);
    let x = scaled(random.take(m * k), k);
    let w = scaled(random.take(n * k), k);
    error(&x, &w, k)
}

/// The square sweep; the error is over the first 256 rows.
fn sweep(n: usize) -> f64 {
    let mut random = Normals::seeded(0);
    let x = scaled_narrow(random.take(n * n), n);
    let w = scaled_narrow(random.take(n * n), n);
    error(&x[..256.min(n) * n], &w, n)
}

fn batched(batch: usize) -> f64 {
    // The weights are drawn once, then the batches 1, 4, 16 one after another.
    let mut random = Normals::seeded(0);
    let w = scaled(random.take(1024 * 1024), 1024);
    for b in [1, 4, 16] {
        let x = scaled(random.take(b * 128 * 1024), 1024);
        if b == batch {
            return error(&x, &w, 1024);
        }
    }
    f64::NAN
}

fn dft(n: usize) -> f64 {
    let x = Normals::seeded(2).take(n);
    let part = |f: fn(f64) -> f64| {
        let angle = |i: usize| -2.0 * std::f64::consts::PI * ((i / n) * (i % n)) as f64 / n as f64;
        let w: Vec<f64> = (0..n * n).map(|i| f(angle(i))).collect();
        error(&x, &w, n)
    };
    (part(f64::cos) + part(f64::sin)) / 2.0
}

#[test]
fn the_generator_is_numpys() {
    let drawn = Normals::seeded(0).take(1_000_000);
    // The exclusive or of the bits of `default_rng(0).standard_normal(1_000_000).astype(float32)` in NumPy 2.
    let bits = drawn.iter().fold(0, |all, v| all ^ (*v as f32).to_bits());
    assert_eq!(bits, 0xf80d_b454);
}

#[test]
fn products() {
    agrees("64 x 256 x 256", product(64, 256, 256), 0.0012522854527169441, 13.5);
    agrees("GEMV 512", product(1, 512, 512), 0.0024445968323742575, 13.5);
    agrees("GEMV 1024", product(1, 1024, 1024), 0.005398935782845327, 13.5);
}

#[test]
fn the_transform_of_data_near_one() {
    agrees("DFT 1024", dft(1024), 0.00035014059095186414, 12.5);
}

#[test]
#[ignore = "two billion products; half a minute with --release"]
fn long_products() {
    agrees("sweep 512", sweep(512), 0.00257800397023792, 13.5);
    agrees("sweep 1024", sweep(1024), 0.005528352999597525, 13.5);
    agrees("sweep 2048", sweep(2048), 0.012131920427695623, 13.5);
    agrees("128 x 1024 x 1024", product(128, 1024, 1024), 0.0055214934910669524, 13.5);
    agrees("GEMV 2048", product(1, 2048, 2048), 0.01207323982683335, 13.5);
    agrees("GEMV 4096", product(1, 4096, 4096), 0.026957951213090588, 13.5);
    agrees("GEMV 8192 to 2048", product(1, 8192, 2048), 0.062857460464349715, 13.5);
    agrees("GEMV 2048 to 8192", product(1, 2048, 8192), 0.012062673496956096, 13.5);
    agrees("GEMV 4096 to 11008", product(1, 4096, 11008), 0.027021826933622362, 13.5);
    agrees("batch 1", batched(1), 0.005539185713959134, 13.5);
    agrees("batch 4", batched(4), 0.00551049675543526, 13.5);
    agrees("batch 16", batched(16), 0.005510041960589296, 13.5);
}

#[test]
#[ignore = "36 billion products; ten minutes with --release"]
fn very_long_products() {
    agrees("sweep 4096", sweep(4096), 0.027237621125542212, 13.5);
    agrees("256 x 4096 x 4096", product(256, 4096, 4096), 0.027275490149715084, 13.5);
    agrees("GEMV 6144", product(1, 6144, 6144), 0.044284299857035872, 13.5);
    agrees("GEMV 8192", product(1, 8192, 8192), 0.063033532418623722, 13.5);
    agrees("sweep 6144", sweep(6144), 0.043990474210234866, 13.5);
    agrees("sweep 8192", sweep(8192), 0.061638068725750665, 13.5);
}
