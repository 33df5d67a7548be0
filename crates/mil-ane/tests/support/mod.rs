//! What the published inputs need of NumPy: its default generator (PCG64, and the ziggurat for normal numbers) and its cast to fp16.
//!
//! Sources: the PCG paper (O'Neill 2014, XSL RR 128/64), Marsaglia and Tsang 2000 with 256 layers, and the states of
//! `numpy.random.default_rng(seed)` as NumPy 2 prints them.

/// The numbers of `numpy.random.default_rng(seed).standard_normal`, for the seeds the published scripts use.
pub(crate) struct Normals {
    state: u128,
    increment: u128,
    layers: Vec<Layer>,
}

struct Layer {
    accept_below: u64,
    width: f64,
    height: f64,
}

/// State and increment by seed.
const STATES: [(u128, u128); 3] = [
    (0x1aa1_b534_5996_452d_0958_5eb7_a695_61e3, 0x418d_dadb_3af7_1a82_5881_33bc_4478_73a9),
    (0x9c5b_484b_fedb_756c_2a6e_7d6f_320f_bc7e, 0x922a_f2da_2645_f895_a198_57b9_5740_937b),
    (0x6924_16b3_311e_c79c_2a21_eb1b_c4f4_83cc, 0x5bae_0a57_4388_2ba5_d1ad_0f9f_2cb8_dbef),
];
const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
/// Where the tail begins, and the area of each layer.
const TAIL: f64 = 3.654_152_885_361_009;
const AREA: f64 = 0.004_928_673_233_974_655;
const MANTISSA: f64 = (1u64 << 52) as f64;

impl Normals {
    /// Seeds 0, 1 and 2.
    pub(crate) fn seeded(seed: usize) -> Self {
        let (state, increment) = STATES[seed];
        Self { state, increment, layers: layers() }
    }

    /// The next `n` numbers.
    pub(crate) fn take(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.normal()).collect()
    }

    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        loop {
            let bits = self.bits();
            let index = (bits & 0xff) as usize;
            let size = (bits >> 9) & 0x000f_ffff_ffff_ffff;
            let sign = if bits >> 8 & 1 == 1 { -1.0 } else { 1.0 };
            let x = sign * size as f64 * self.layers[index].width;
            if size < self.layers[index].accept_below {
                return x;
            }
            if index == 0 {
                loop {
                    let beyond = -(-self.unit()).ln_1p() / TAIL;
                    let y = -(-self.unit()).ln_1p();
                    if y + y > beyond * beyond {
                        let negative = size >> 8 & 1 == 1;
                        return if negative { -(TAIL + beyond) } else { TAIL + beyond };
                    }
                }
            }
            let (below, above) = (self.layers[index].height, self.layers[index - 1].height);
            if (above - below) * self.unit() + below < (-0.5 * x * x).exp() {
                return x;
            }
        }
    }
}

fn layers() -> Vec<Layer> {
    let height = |x: f64| (-0.5 * x * x).exp();
    let mut edges = [TAIL; 256];
    for i in (1..255).rev() {
        edges[i] = (-2.0 * (AREA / edges[i + 1] + height(edges[i + 1])).ln()).sqrt();
    }
    let base = AREA / height(TAIL);
    let layer = |i: usize| match i {
        0 => Layer { accept_below: (TAIL / base * MANTISSA) as u64, width: base / MANTISSA, height: 1.0 },
        1 => Layer { accept_below: 0, width: edges[1] / MANTISSA, height: height(edges[1]) },
        _ => Layer {
            accept_below: (edges[i - 1] / edges[i] * MANTISSA) as u64,
            width: edges[i] / MANTISSA,
            height: height(edges[i]),
        },
    };
    (0..256).map(layer).collect()
}

/// The value in `f32`, rounded to odd: rounding it on to fp16 gives what rounding the `f64` once does, which is what NumPy's cast does.
pub(crate) fn odd(v: f64) -> f32 {
    let (bits, rest) = (v.to_bits(), (1u64 << 29) - 1);
    let sticky = u64::from(bits & rest != 0) << 29;
    f64::from_bits(bits & !rest | sticky) as f32
}

/// The relative error in the Euclidean norm. Sums are made in blocks, so that the noise of f64 stays below the 14th digit.
pub(crate) fn relative(got: &[f32], exact: impl Iterator<Item = f64>) -> f64 {
    let exact: Vec<f64> = exact.collect();
    let (mut off, mut size) = (0.0, 0.0);
    for (got, exact) in got.chunks(256).zip(exact.chunks(256)) {
        off += got.iter().zip(exact).map(|(g, e)| (f64::from(*g) - e).powi(2)).sum::<f64>();
        size += exact.iter().map(|e| e * e).sum::<f64>();
    }
    (off / size).sqrt()
}

#[track_caller]
pub(crate) fn agrees(what: &str, got: f64, published: f64, digits: f64) {
    let agreed = -((got / published - 1.0).abs().max(1e-17)).log10();
    assert!(agreed >= digits, "{what}: {got:e}, published {published:e}: {agreed:.1} digits");
}
