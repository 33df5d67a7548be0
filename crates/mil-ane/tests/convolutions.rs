//! The public fingerprints of 3 x 3 convolutions, which are inner products of the same arithmetic: directly on M1 to M4, behind a Winograd
//! transform along the width on M5.
//!
//! Rule and values: `facts/ane-matmul-arithmetic.md` sections 1 and 2. Inputs, of ANEForge 0.4.0 (MIT): the case "single" of
//! `bench/device_compare_wattcomplete.py`, 16 to 64 channels on 32 x 32, then ReLU; and the sweep of
//! `bench/device_saturation_sweep.py`, whose error is that of the first image of a batch. All are padded to the same size.

// The figures stand as they were published.
#![allow(clippy::excessive_precision)]

mod support;

use mil_ane::{Arithmetic, Matrix};
use support::{Normals, agrees, odd, relative};

struct Case {
    ins: usize,
    outs: usize,
    side: usize,
    relu: bool,
    /// `[ins, side, side]`.
    x: Vec<f64>,
    /// `[outs, ins, 3, 3]`.
    w: Vec<f64>,
}

/// Draws a batch of images, keeps the first, and draws the weights.
fn case(ins: usize, outs: usize, side: usize, batch: usize, relu: bool) -> Case {
    let mut random = Normals::seeded(1);
    let narrow = |v: Vec<f64>| v.into_iter().map(|v| f64::from(v as f32));
    let image = ins * side * side;
    let x = narrow(random.take(image * batch)).take(image).collect();
    let scale = (2.0 / (ins * 9) as f64).sqrt();
    let w = narrow(random.take(outs * ins * 9)).map(|v| v * scale).collect();
    Case { ins, outs, side, relu, x, w }
}

fn single() -> Case {
    case(16, 64, 32, 1, true)
}

fn sweep(channels: usize, batch: usize) -> Case {
    case(channels, channels, 64, batch, false)
}

impl Case {
    /// The input at a place, 0 outside.
    fn at(&self, channel: usize, y: isize, x: isize) -> f64 {
        let inside = |v: isize| usize::try_from(v).ok().filter(|v| *v < self.side);
        inside(y).zip(inside(x)).map_or(0.0, |(y, x)| self.x[(channel * self.side + y) * self.side + x])
    }

    /// `[side * side, ins * 9]`.
    fn patches(&self) -> Vec<f64> {
        let (side, taps) = (self.side, self.ins * 9);
        let patch = |i: usize| {
            let (place, tap) = (i / taps, i % taps);
            let (y, x) = (place / side + tap % 9 / 3, place % side + tap % 3);
            self.at(tap / 9, y as isize - 1, x as isize - 1)
        };
        (0..side * side * taps).map(patch).collect()
    }

    /// The relative error of `got`, `[side * side, outs]`, against f64.
    fn error(&self, got: &[f32]) -> f64 {
        let taps = self.ins * 9;
        let floor = if self.relu { 0.0 } else { f64::NEG_INFINITY };
        let patches = self.patches();
        let dot = |x: &[f64], w: &[f64]| x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>().max(floor);
        let exact =
            patches.chunks_exact(taps).flat_map(|x| self.w.chunks_exact(taps).map(move |w| dot(x, w)));
        let got: Vec<f32> = got.iter().map(|v| v.max(floor as f32)).collect();
        relative(&got, exact)
    }

    fn direct(&self) -> f64 {
        let cast = |v: &[f64]| v.iter().map(|v| odd(*v)).collect::<Vec<_>>();
        self.error(&engine(cast(&self.patches()), cast(&self.w), self.ins * 9))
    }

    /// Each sum of transformed products is one inner product: of m0 + m1 + m2 for even columns, of m1 - m2 - m3 for odd ones.
    fn winograd(&self) -> f64 {
        let (mut evens, mut odds) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for pair in 0..self.side * self.side / 2 {
            let (y, x) = ((pair / (self.side / 2)) as isize, (pair % (self.side / 2) * 2) as isize);
            for row in 0..self.ins * 3 {
                let d = [0, 1, 2, 3].map(|i| narrow(self.at(row / 3, y + (row % 3) as isize - 1, x + i - 1)));
                let v = [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]].map(half_away);
                evens[0].extend([v[0], v[1], v[2]]);
                odds[0].extend([v[1], -v[2], -v[3]]);
            }
        }
        for row in self.w.chunks_exact(3) {
            let g = [narrow(row[0]), narrow(row[1]), narrow(row[2])];
            let u = [g[0], (g[0] + g[1] + g[2]) / 2.0, (g[0] - g[1] + g[2]) / 2.0, g[2]].map(half_away);
            evens[1].extend([u[0], u[1], u[2]]);
            odds[1].extend([u[1], u[2], u[3]]);
        }
        let [evens, odds] = [evens, odds].map(|[x, w]| engine(x, w, self.ins * 9));
        let pairs = evens.chunks_exact(self.outs).zip(odds.chunks_exact(self.outs));
        self.error(&pairs.flat_map(|(e, o)| e.iter().chain(o)).copied().collect::<Vec<_>>())
    }
}

fn engine(x: Vec<f32>, w: Vec<f32>, k: usize) -> Vec<f32> {
    let matrix = |v: Vec<f32>| Matrix::new(v.len() / k, k, v).unwrap();
    Arithmetic::Engine.linear(&matrix(x), &matrix(w), None).unwrap().values().to_vec()
}

/// To fp16, ties away from zero.
fn half_away(v: f64) -> f32 {
    let step = 2f64.powi((v.abs().log2().floor().max(-14.0) as i32) - 10);
    ((v / step).round() * step) as f32
}

fn narrow(v: f64) -> f64 {
    f64::from(half::f16::from_f32(odd(v)).to_f32())
}

#[test]
fn direct_on_m1_to_m4() {
    agrees("16 to 64", single().direct(), 0.0003663655858424183, 13.5);
}

#[test]
fn winograd_along_the_width_on_m5() {
    agrees("16 to 64", single().winograd(), 0.0005102488034377338, 13.5);
}

#[test]
#[ignore = "two billion products; half a minute with --release"]
fn the_sweep() {
    agrees("64, M1", sweep(64, 8).direct(), 0.0003671660721200675, 13.0);
    agrees("64, M4", sweep(64, 16).direct(), 0.00036713452579315676, 13.0);
    agrees("64, M5", sweep(64, 8).winograd(), 0.0005162338465671137, 13.0);
    agrees("64, M5 Pro", sweep(64, 16).winograd(), 0.0005134171098867606, 13.0);
    agrees("128, M1", sweep(128, 8).direct(), 0.00037520404231831836, 13.0);
    agrees("128, M4", sweep(128, 16).direct(), 0.000373510899298669, 13.0);
    agrees("128, M5", sweep(128, 8).winograd(), 0.0005214500415248461, 13.0);
}

#[test]
#[ignore = "36 billion products; minutes with --release"]
fn the_wide_sweep() {
    agrees("256, M1", sweep(256, 4).direct(), 0.0003900783744201331, 13.0);
    agrees("256, M4", sweep(256, 8).direct(), 0.00039034647589447895, 13.0);
    agrees("256, M5", sweep(256, 4).winograd(), 0.0005323365234218932, 13.0);
    agrees("512, M1", sweep(512, 2).direct(), 0.0004190581983637061, 13.0);
    agrees("512, M4", sweep(512, 4).direct(), 0.000418456590926874, 13.0);
    agrees("512, M5", sweep(512, 2).winograd(), 0.0005551710379119106, 13.0);
}
