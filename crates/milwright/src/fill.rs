//! Inputs made of nothing: random, zeros, ones, or one number everywhere.

use mil_base::{DType, Tensor, TensorError, tensor::count};
use std::str::FromStr;

/// What to fill an input with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fill {
    /// Floats uniform in -1 to 1, integers 0 or 1 (indices that are valid nearly everywhere), bools either.
    Random,
    /// One number everywhere.
    Number(f64),
}

impl FromStr for Fill {
    type Err = ();

    /// `random`, `zeros`, `ones` or a number.
    fn from_str(text: &str) -> Result<Fill, ()> {
        match text {
            "random" => Ok(Fill::Random),
            "zeros" => Ok(Fill::Number(0.0)),
            "ones" => Ok(Fill::Number(1.0)),
            _ => text.parse().map(Fill::Number).map_err(|_| ()),
        }
    }
}

/// A seed that differs from run to run.
pub fn fresh_seed() -> u64 {
    u64::from(fastrand::Rng::new().u32(..))
}

/// Random tensors, the same for the same seed on every machine.
pub struct Random {
    rng: fastrand::Rng,
}

impl Random {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Random {
        Random { rng: fastrand::Rng::with_seed(seed) }
    }

    /// The next tensor.
    pub fn tensor(&mut self, dtype: DType, shape: &[usize]) -> Result<Tensor, TensorError> {
        let n = count(shape).ok_or(TensorError::TooLarge)?;
        dtype.bytes_for(n).filter(|&bytes| bytes < isize::MAX as usize / 16).ok_or(TensorError::TooLarge)?;
        if dtype.is_float() {
            let values: Vec<f64> = (0..n).map(|_| self.rng.f64() * 2.0 - 1.0).collect();
            return Tensor::from_f64(dtype, shape, &values);
        }
        let values: Vec<i64> = (0..n).map(|_| self.rng.i64(0..2)).collect();
        Tensor::from_i64(dtype, shape, &values)
    }
}

impl Fill {
    /// A tensor filled this way. Strings cannot be.
    pub fn tensor(self, dtype: DType, shape: &[usize], random: &mut Random) -> Result<Tensor, TensorError> {
        match self {
            Fill::Random => random.tensor(dtype, shape),
            Fill::Number(0.0) => Tensor::zeros(dtype, shape),
            Fill::Number(v) => {
                let n = count(shape).ok_or(TensorError::TooLarge)?;
                let mut values = Vec::new();
                values.try_reserve_exact(n).map_err(|_| TensorError::TooLarge)?;
                values.resize(n, v);
                Tensor::from_f64(dtype, shape, &values)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_understood() {
        assert_eq!("zeros".parse(), Ok(Fill::Number(0.0)));
        assert_eq!("-2.5e3".parse(), Ok(Fill::Number(-2500.0)));
        assert_eq!("zero".parse::<Fill>(), Err(()));
    }

    #[test]
    fn a_seed_gives_the_same_numbers_again() {
        let draw = |seed| Random::new(seed).tensor(DType::Fp32, &[2, 3]).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(1).to_f64().iter().all(|v| (-1.0..1.0).contains(v)));
    }

    #[test]
    fn absurd_shapes_are_refused() {
        let random = &mut Random::new(0);
        assert!(Fill::Random.tensor(DType::Fp32, &[usize::MAX, 2], random).is_err());
        assert!(Fill::Number(1.0).tensor(DType::Fp32, &[1 << 60], random).is_err());
    }
}
