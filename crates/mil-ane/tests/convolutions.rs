//! The public fingerprints of 3 x 3 convolutions, which are inner products of the same arithmetic: directly on M1 to M4, behind a Winograd
//! transform along the width on M5.
//!
//! Rule and values: `facts/ane-matmul-arithmetic.md` sections 1 and 2. Inputs: `bench/device_compare_wattcomplete.py` of ANEForge 0.4.0 (MIT),
//! the case "single": 16 to 64 channels on 32 x 32, padded to the same size, then ReLU.

// The figures stand as they were published.
#![allow(clippy::excessive_precision)]

mod support;

use mil_ane::{Arithmetic, Matrix};
use support::{Normals, agrees, odd, relative};

const INS: usize = 16;
const OUTS: usize = 64;
const SIDE: usize = 32;

struct Case {
    /// `[INS, SIDE, SIDE]`.
    x: Vec<f64>,
    /// `[OUTS, INS, 3, 3]`.
    w: Vec<f64>,
}

fn case() -> Case {
    let mut random = Normals::seeded(1);
    let narrow = |v: Vec<f64>| v.into_iter().map(|v| f64::from(v as f32));
    let x = narrow(random.take(INS * SIDE * SIDE)).collect();
    let scale = (2.0 / (INS * 9) as f64).sqrt();
    let w = narrow(random.take(OUTS * INS * 9)).map(|v| v * scale).collect();
    Case { x, w }
}

impl Case {
    /// The input at a place, 0 outside.
    fn at(&self, channel: usize, y: isize, x: isize) -> f64 {
        let inside = |v: isize| usize::try_from(v).ok().filter(|v| *v < SIDE);
        inside(y).zip(inside(x)).map_or(0.0, |(y, x)| self.x[(channel * SIDE + y) * SIDE + x])
    }

    /// What the script compares with: `[SIDE * SIDE, OUTS]` in f64, after ReLU.
    fn exact(&self) -> impl Iterator<Item = f64> {
        let taps = self.patches();
        let dot = move |place: usize, out: usize| {
            let (x, w) = (&taps[place * INS * 9..][..INS * 9], &self.w[out * INS * 9..][..INS * 9]);
            x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>().max(0.0)
        };
        (0..SIDE * SIDE * OUTS).map(move |i| dot(i / OUTS, i % OUTS))
    }

    /// `[SIDE * SIDE, INS * 9]`.
    fn patches(&self) -> Vec<f64> {
        let mut all = Vec::with_capacity(SIDE * SIDE * INS * 9);
        for place in 0..SIDE * SIDE {
            for tap in 0..INS * 9 {
                let (y, x) = (place / SIDE + tap % 9 / 3, place % SIDE + tap % 3);
                all.push(self.at(tap / 9, y as isize - 1, x as isize - 1));
            }
        }
        all
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
    let case = case();
    let cast = |v: &[f64]| v.iter().map(|v| odd(*v)).collect::<Vec<_>>();
    let got: Vec<f32> =
        engine(cast(&case.patches()), cast(&case.w), INS * 9).iter().map(|v| v.max(0.0)).collect();
    agrees("conv 16 to 64", relative(&got, case.exact()), 0.0003663655858424183, 13.5);
}

#[test]
fn winograd_along_the_width_on_m5() {
    let case = case();
    // Each sum of transformed products is one inner product: of m0 + m1 + m2 for even columns, of m1 - m2 - m3 for odd ones.
    let (mut even, mut odd_) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for pair in 0..SIDE * SIDE / 2 {
        let (y, x) = ((pair / (SIDE / 2)) as isize, (pair % (SIDE / 2) * 2) as isize);
        for row in 0..INS * 3 {
            let d = [0, 1, 2, 3].map(|i| narrow(case.at(row / 3, y + (row % 3) as isize - 1, x + i - 1)));
            let v = [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]].map(half_away);
            even[0].extend([v[0], v[1], v[2]]);
            odd_[0].extend([v[1], -v[2], -v[3]]);
        }
    }
    for row in case.w.chunks_exact(3) {
        let g = [narrow(row[0]), narrow(row[1]), narrow(row[2])];
        let u = [g[0], (g[0] + g[1] + g[2]) / 2.0, (g[0] - g[1] + g[2]) / 2.0, g[2]].map(half_away);
        even[1].extend([u[0], u[1], u[2]]);
        odd_[1].extend([u[1], u[2], u[3]]);
    }
    let [even, odd_] = [even, odd_].map(|[x, w]| engine(x, w, INS * 9));
    let pairs = even.chunks_exact(OUTS).zip(odd_.chunks_exact(OUTS));
    let got: Vec<f32> = pairs.flat_map(|(e, o)| e.iter().chain(o)).map(|v| v.max(0.0)).collect();
    agrees("conv 16 to 64 on M5", relative(&got, case.exact()), 0.0005102488034377338, 13.5);
}
