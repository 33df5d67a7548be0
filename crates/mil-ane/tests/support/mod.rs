//! NumPy's default generator, as far as the published inputs need it: PCG64 and the ziggurat for normal numbers.
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
