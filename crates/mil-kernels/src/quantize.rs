//! Affine quantisation to 8-bit integers and back, with one scale or one for each place along an axis.

use crate::binary::Int;
use crate::float::Float;
use crate::pool::Pool;
use crate::unary::{BLOCK, GRAIN};
use crate::view::SharedMut;

/// Scales and zero points, and how many neighbouring elements share a pair.
#[derive(Clone, Debug)]
pub struct Affine {
    scale: Vec<f32>,
    zero: Vec<i32>,
    after: usize,
}

impl Affine {
    /// The parameters; `None` unless there are as many zero points as scales, at least one, and `after` is not zero.
    pub fn new(scale: Vec<f32>, zero: Vec<i32>, after: usize) -> Option<Affine> {
        let fits = !scale.is_empty() && scale.len() == zero.len() && after > 0;
        fits.then_some(Affine { scale, zero, after })
    }

    /// Bytes it holds.
    pub fn bytes(&self) -> usize {
        self.scale.len() * 8
    }

    /// `clip(round(x / scale) + zero)`, halves to even. The quotient is taken in `f64`, so that it is exact enough to round
    /// as the quotient of the real numbers does.
    pub fn quantize<T: Float, Q: Int>(&self, range: (i32, i32), x: &[T], out: &mut [Q], pool: &Pool) {
        let (low, high) = (f64::from(range.0), f64::from(range.1));
        self.blocks(out, pool, |at, scale, zero, out| {
            for (x, o) in x[at..at + out.len()].iter().zip(out) {
                let y = (f64::from(x.to_f32()) / f64::from(scale)).round_ties_even() + f64::from(zero);
                *o = Q::from_i64(y.clamp(low, high) as i64);
            }
        });
    }

    /// `scale * (q - zero)`.
    pub fn dequantize<Q: Int, T: Float>(&self, q: &[Q], out: &mut [T], pool: &Pool) {
        self.blocks(out, pool, |at, scale, zero, out| {
            let mut buffer = [0f32; BLOCK];
            let block = &mut buffer[..out.len()];
            for (q, o) in q[at..at + out.len()].iter().zip(&mut *block) {
                *o = scale * (q.to_i64() as i32).wrapping_sub(zero) as f32;
            }
            T::round(block, out);
        });
    }

    /// Calls `body(position, scale, zero, out)` on blocks that share their parameters.
    fn blocks<T: Send>(&self, out: &mut [T], pool: &Pool, body: impl Fn(usize, f32, i32, &mut [T]) + Sync) {
        let after = if self.scale.len() == 1 { out.len().max(1) } else { self.after };
        let (planes, pieces) = (out.len() / after, after.div_ceil(BLOCK));
        let out = SharedMut::new(out);
        pool.for_ranges(planes * pieces, (GRAIN / after.min(BLOCK)).max(1), |range| {
            for i in range {
                let (plane, first) = (i / pieces, i % pieces * BLOCK);
                let at = plane * after + first;
                let place = plane % self.scale.len();
                // SAFETY: block `i` belongs to this range alone.
                let out = unsafe { out.slice(at..plane * after + (first + BLOCK).min(after)) };
                body(at, self.scale[place], self.zero[place], out);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantised_values_return() {
        let affine = Affine::new(vec![0.5, 2.0], vec![3, -1], 2).unwrap();
        let x = [-1.0f32, 0.25, 0.75, 1e9, 3.0, -3.0, 4.0, f32::NAN];
        let mut q = [0i8; 8];
        affine.quantize((-128, 127), &x, &mut q, &Pool::inline());
        assert_eq!(q, [1, 3, -1, 127, 9, -3, 1, 0]);
        let mut back = [0f32; 8];
        affine.dequantize(&q, &mut back, &Pool::inline());
        assert_eq!(back, [-1.0, 0.0, 0.0, 256.0, 3.0, -3.0, 4.0, 2.0]);
        assert!(Affine::new(vec![], vec![], 1).is_none());
    }
}
