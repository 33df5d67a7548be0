//! Cumulative sums along one axis.

use crate::binary::Int;
use crate::float::Float;
use crate::pool::Pool;
use crate::unary::GRAIN;
use crate::view::SharedMut;

/// How elements are added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Each result leaves out its own element.
    pub exclusive: bool,
    /// From the end.
    pub reverse: bool,
}

impl Scan {
    /// Cumulative sum over the middle of `[before, axis, after]`. Sums are kept in `f64` and each result is
    /// rounded once.
    pub fn run<T: Float>(self, shape: [usize; 3], x: &[T], out: &mut [T], pool: &Pool) {
        self.walk(
            shape,
            x,
            out,
            pool,
            0f64,
            |sum, v| sum + f64::from(v.to_f32()),
            |sum| T::from_f32(sum as f32),
        );
    }

    /// The same on integers, wrapping.
    pub fn run_int<T: Int>(self, shape: [usize; 3], x: &[T], out: &mut [T], pool: &Pool) {
        self.walk(shape, x, out, pool, T::default(), T::wrapping_add, |sum| sum);
    }

    fn walk<T: Copy + Send + Sync, S: Copy + Sync>(
        self,
        [before, axis, after]: [usize; 3],
        x: &[T],
        out: &mut [T],
        pool: &Pool,
        zero: S,
        add: impl Fn(S, T) -> S + Sync,
        store: impl Fn(S) -> T + Sync,
    ) {
        assert_eq!((x.len(), out.len()), (before * axis * after, x.len()));
        if x.is_empty() {
            return;
        }
        let out = SharedMut::new(out);
        pool.for_ranges(before * after, (GRAIN / 4 / axis).max(1), |range| {
            for i in range {
                let start = i / after * axis * after + i % after;
                let mut sum = zero;
                for k in 0..axis {
                    let at = start + if self.reverse { axis - 1 - k } else { k } * after;
                    let next = add(sum, x[at]);
                    // SAFETY: elements of walk `i` belong to this range alone.
                    let place = unsafe { out.slice(at..at + 1) };
                    place[0] = store(if self.exclusive { sum } else { next });
                    sum = next;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_run_both_ways() {
        let pool = Pool::new(2).unwrap();
        let x = [1, 2, 3, 4, 5, 6];
        let mut out = [0; 6];
        let cases: [(bool, bool, [usize; 3], [i32; 6]); 4] = [
            (false, false, [2, 3, 1], [1, 3, 6, 4, 9, 15]),
            (true, false, [2, 3, 1], [0, 1, 3, 0, 4, 9]),
            (false, true, [2, 3, 1], [6, 5, 3, 15, 11, 6]),
            (true, true, [1, 2, 3], [4, 5, 6, 0, 0, 0]),
        ];
        for (exclusive, reverse, shape, want) in cases {
            Scan { exclusive, reverse }.run_int(shape, &x, &mut out, &pool);
            assert_eq!(out, want);
            let (f, mut g) = (x.map(|v| v as f32), [0f32; 6]);
            Scan { exclusive, reverse }.run(shape, &f, &mut g, &pool);
            assert_eq!(g, want.map(|v| v as f32));
        }
    }
}
