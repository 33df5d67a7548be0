//! Numbers that look random and depend on nothing but a seed and a place.

/// A sequence of numbers, each a function of the seed and its index: it can be computed in any order, by any number of
/// threads, with the same result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream(u64);

impl Stream {
    /// The sequence of a seed.
    pub fn new(seed: i64) -> Stream {
        Stream(mix(seed as u64))
    }

    /// The sequence that SplitMix64 gives from this state on.
    pub fn from_state(state: u64) -> Stream {
        Stream(state)
    }

    /// The number at an index, in `0..1`, of 53 random bits.
    pub fn unit(self, index: u64) -> f64 {
        (mix(self.0.wrapping_add(index.wrapping_mul(GOLDEN))) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number of the standard normal distribution (Box and Muller's method; 0 is avoided under the logarithm).
    pub fn normal(self, index: u64) -> f64 {
        let (u, v) = (self.unit(2 * index), self.unit(2 * index + 1));
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

/// 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(v: u64) -> u64 {
    let v = v.wrapping_add(GOLDEN);
    let v = (v ^ (v >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let v = (v ^ (v >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    v ^ (v >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moments_are_those_of_the_distributions() {
        for seed in [-1, 0, 1, 12345] {
            let (stream, n) = (Stream::new(seed), 100_000);
            let mean = |f: &dyn Fn(u64) -> f64| (0..n).map(f).sum::<f64>() / n as f64;
            assert!((mean(&|i| stream.unit(i)) - 0.5).abs() < 0.005);
            assert!((mean(&|i| stream.unit(i).powi(2)) - 1.0 / 3.0).abs() < 0.005);
            assert!((mean(&|i| stream.unit(i) * stream.unit(i + 1)) - 0.25).abs() < 0.005);
            assert!(mean(&|i| stream.normal(i)).abs() < 0.02);
            assert!((mean(&|i| stream.normal(i).powi(2)) - 1.0).abs() < 0.03);
        }
        assert_ne!(Stream::new(1).unit(0), Stream::new(2).unit(0));
    }
}
