//! Elementwise functions of two tensors with numpy broadcasting.
//!
//! [`Broadcast`] is made at plan time; rows that are contiguous, repeated or strided in either operand are then
//! told apart by their step alone.

use crate::epilogue::Then;
use crate::float::Float;
use crate::pool::Pool;
use crate::simd::simd;
use crate::strided::{Loops, broadcast_shape, broadcast_strides};
use crate::unary::{BLOCK, GRAIN};
use crate::view::SharedMut;

/// Arithmetic on two floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a b
    Mul,
    /// a / b
    Div,
    /// floor(a / b)
    FloorDiv,
    /// a - b floor(a / b)
    Mod,
    /// a^b
    Pow,
    /// the larger
    Max,
    /// the smaller
    Min,
}

/// A comparison; the result is a bool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// a == b
    Equal,
    /// a != b
    NotEqual,
    /// a < b
    Less,
    /// a <= b
    LessEqual,
    /// a > b
    Greater,
    /// a >= b
    GreaterEqual,
}

/// A function of two bools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logical {
    /// both
    And,
    /// either
    Or,
    /// exactly one
    Xor,
}

/// How two operands are read together, and the shape of the result.
#[derive(Clone, Debug)]
pub struct Broadcast {
    loops: Loops<2>,
    shape: Vec<usize>,
}

impl Broadcast {
    /// `None` when the shapes do not broadcast.
    pub fn new(a: &[usize], b: &[usize]) -> Option<Broadcast> {
        let shape = broadcast_shape(a, b)?;
        let (sa, sb) = (broadcast_strides(a, &shape)?, broadcast_strides(b, &shape)?);
        Some(Broadcast { loops: Loops::new(&shape, [&sa, &sb]), shape })
    }

    /// The shape of the result.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Calls `body(a, b, out)` on blocks of a row; an operand that is broadcast along the row is one element.
    fn run<A: Copy + Sync, B: Copy + Sync, O: Send>(
        &self,
        a: &[A],
        b: &[B],
        out: &mut [O],
        pool: &Pool,
        body: impl Fn(&[A], &[B], &mut [O]) + Sync,
    ) {
        self.run_at(Some(a), Some(b), out, pool, |_, a, b, out| {
            body(a.unwrap_or_default(), b.unwrap_or_default(), out);
        });
    }

    /// As [`Broadcast::run`] for operands of which one may be absent, its elements being in `out`; `body` also gets the
    /// position of the block in the result.
    fn run_at<A: Copy + Sync, B: Copy + Sync, O: Send>(
        &self,
        a: Option<&[A]>,
        b: Option<&[B]>,
        out: &mut [O],
        pool: &Pool,
        body: impl Fn(usize, Option<&[A]>, Option<&[B]>, &mut [O]) + Sync,
    ) {
        let Loops { row, steps, .. } = self.loops;
        assert_eq!(out.len(), self.loops.count());
        if out.is_empty() {
            return;
        }
        let blocks = row.div_ceil(BLOCK);
        let out = SharedMut::new(out);
        let side = |step: usize, from: usize, at: usize, n: usize| match step {
            0 => from..from + 1,
            _ => from + at..from + at + n,
        };
        pool.for_ranges(self.loops.rows() * blocks, (GRAIN / row.min(BLOCK)).max(1), |range| {
            let (first, last) = (range.start / blocks, range.end.div_ceil(blocks));
            self.loops.for_rows(first..last, |r, [oa, ob]| {
                for k in range.start.max(r * blocks)..range.end.min((r + 1) * blocks) {
                    let at = (k - r * blocks) * BLOCK;
                    let n = BLOCK.min(row - at);
                    // SAFETY: block `k` of the output belongs to this range alone.
                    let out = unsafe { out.slice(r * row + at..r * row + at + n) };
                    let a = a.map(|a| &a[side(steps[0], oa, at, n)]);
                    body(r * row + at, a, b.map(|b| &b[side(steps[1], ob, at, n)]), out);
                }
            });
        });
    }
}

trait Fn2: Copy {
    fn at(self, a: f32, b: f32) -> f32;
}

simd! {
    fn zip<F: Fn2>(f: F, a: &mut [f32], b: &[f32]) {
        for (x, y) in a.iter_mut().zip(b) {
            *x = f.at(*x, *y);
        }
    }
}
simd! {
    fn zip_scalar<F: Fn2>(f: F, a: &mut [f32], b: f32) {
        for x in a {
            *x = f.at(*x, b);
        }
    }
}
simd! {
    fn zip_reversed<F: Fn2>(f: F, a: &mut [f32], b: &[f32]) {
        for (x, y) in a.iter_mut().zip(b) {
            *x = f.at(*y, *x);
        }
    }
}

/// The second operand of an in-place operation on a row.
#[derive(Clone, Copy, Debug)]
pub enum Other<'a> {
    /// One value for the whole row.
    One(f32),
    /// A value for each element.
    Each(&'a [f32]),
    /// A value for each element, which stands on the left: `x = b op x`.
    EachLeft(&'a [f32]),
}

/// `a = a op b` in place.
pub fn binary_f32(op: Binary, a: &mut [f32], b: Other<'_>) {
    macro_rules! apply {
        (|$x:ident, $y:ident| $body:expr) => {{
            #[derive(Clone, Copy)]
            struct F;
            impl Fn2 for F {
                #[inline(always)]
                fn at(self, $x: f32, $y: f32) -> f32 {
                    $body
                }
            }
            match b {
                Other::One(v) => zip_scalar(F, a, v),
                Other::Each(b) => zip(F, a, b),
                Other::EachLeft(b) => zip_reversed(F, a, b),
            }
        }};
    }
    match op {
        Binary::Add => apply!(|x, y| x + y),
        Binary::Sub => apply!(|x, y| x - y),
        Binary::Mul => apply!(|x, y| x * y),
        Binary::Div => apply!(|x, y| x / y),
        // The quotient of two f32 that is not an integer is never rounded to one in f64.
        Binary::FloorDiv => apply!(|x, y| (f64::from(x) / f64::from(y)).floor() as f32),
        Binary::Mod => apply!(|x, y| {
            let r = x % y;
            if r != 0.0 && (r < 0.0) != (y < 0.0) { r + y } else { r }
        }),
        Binary::Pow => apply!(|x, y| x.powf(y)),
        Binary::Max => apply!(|x, y| if x < y || y.is_nan() { y } else { x }),
        Binary::Min => apply!(|x, y| if x > y || y.is_nan() { y } else { x }),
    }
}

/// `out = a op b` on floats.
pub fn binary<T: Float>(op: Binary, plan: &Broadcast, a: &[T], b: &[T], out: &mut [T], pool: &Pool) {
    binary_then(op, plan, Some(a), Some(b), out, Then::NOTHING, pool);
}

/// `out = a op b` on floats, and further steps on every block of the result while it is in cache. One operand that has
/// the shape of the result may be absent: its elements are in `out` already.
pub fn binary_then<T: Float>(
    op: Binary,
    plan: &Broadcast,
    a: Option<&[T]>,
    b: Option<&[T]>,
    out: &mut [T],
    then: Then<'_>,
    pool: &Pool,
) {
    plan.run_at(a, b, out, pool, |at, a, b, out| {
        let n = out.len();
        let (mut left, mut right) = ([0f32; BLOCK], [0f32; BLOCK]);
        let left = &mut left[..n];
        match a {
            Some([one]) => left.fill(one.to_f32()),
            Some(a) => T::expand(a, left),
            None => T::expand(out, left),
        }
        let other = match b {
            Some([one]) => Other::One(one.to_f32()),
            Some(b) => Other::Each(T::view(b, &mut right)),
            None => Other::Each(T::view(out, &mut right)),
        };
        binary_f32(op, left, other);
        then.apply(at, left);
        T::round(left, out);
    });
}

/// An integer type of MIL that is stored in whole bytes.
pub trait Int: bytemuck::Pod + Send + Sync + Default + PartialOrd + Eq {
    /// Wrapping sum.
    fn wrapping_add(self, other: Self) -> Self;
    /// Wrapping difference.
    fn wrapping_sub(self, other: Self) -> Self;
    /// Wrapping product.
    fn wrapping_mul(self, other: Self) -> Self;
    /// Quotient rounded down; zero for a zero divisor.
    fn floor_div(self, other: Self) -> Self;
    /// What floor division leaves; zero for a zero divisor.
    fn floor_mod(self, other: Self) -> Self;
    /// Wrapping power; a negative exponent gives the truncated result (0, 1 or -1).
    fn power(self, exponent: Self) -> Self;
    /// The value; `u64` beyond `i64` wraps.
    fn to_i64(self) -> i64;
    /// The low bits.
    fn from_i64(value: i64) -> Self;
}

macro_rules! ints {
    ($($t:ident)*) => {$(
        #[allow(unused_comparisons)]
        impl Int for $t {
            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self { $t::wrapping_add(self, other) }
            #[inline(always)]
            fn wrapping_sub(self, other: Self) -> Self { $t::wrapping_sub(self, other) }
            #[inline(always)]
            fn wrapping_mul(self, other: Self) -> Self { $t::wrapping_mul(self, other) }
            #[inline(always)]
            fn floor_div(self, other: Self) -> Self {
                if other == 0 {
                    return 0;
                }
                let q = self.wrapping_div(other);
                let r = self.wrapping_rem(other);
                if r != 0 && (r < 0) != (other < 0) { q.wrapping_sub(1) } else { q }
            }
            #[inline(always)]
            fn floor_mod(self, other: Self) -> Self {
                if other == 0 {
                    return 0;
                }
                let r = self.wrapping_rem(other);
                if r != 0 && (r < 0) != (other < 0) { r.wrapping_add(other) } else { r }
            }
            fn power(self, exponent: Self) -> Self {
                if exponent < 0 {
                    let odd = exponent & 1 != 0;
                    return match self {
                        1 => 1,
                        v if v.wrapping_add(1) == 0 => if odd { v } else { 1 },
                        _ => 0,
                    };
                }
                let (mut base, mut e, mut out): ($t, $t, $t) = (self, exponent, 1);
                while e > 0 {
                    if e & 1 == 1 {
                        out = $t::wrapping_mul(out, base);
                    }
                    base = $t::wrapping_mul(base, base);
                    e >>= 1;
                }
                out
            }
            #[inline(always)]
            fn to_i64(self) -> i64 { self as i64 }
            #[inline(always)]
            fn from_i64(value: i64) -> Self { value as $t }
        }
    )*};
}
ints!(i8 i16 i32 i64 u8 u16 u32 u64);

fn at<T: Copy>(s: &[T], i: usize) -> T {
    if s.len() == 1 { s[0] } else { s[i] }
}

fn fill<A: Copy, B: Copy, O>(a: &[A], b: &[B], out: &mut [O], f: impl Fn(A, B) -> O) {
    match (a, b) {
        (_, [b]) if a.len() == out.len() => a.iter().zip(out).for_each(|(a, o)| *o = f(*a, *b)),
        _ if a.len() == out.len() && b.len() == out.len() => {
            a.iter().zip(b).zip(out).for_each(|((a, b), o)| *o = f(*a, *b));
        }
        _ => out.iter_mut().enumerate().for_each(|(i, o)| *o = f(at(a, i), at(b, i))),
    }
}

/// `out = a op b` on integers, wrapping; a zero divisor gives zero; `Div` truncates toward zero.
pub fn int_binary<T: Int>(op: Binary, plan: &Broadcast, a: &[T], b: &[T], out: &mut [T], pool: &Pool) {
    plan.run(a, b, out, pool, |a, b, out| match op {
        Binary::Add => fill(a, b, out, T::wrapping_add),
        Binary::Sub => fill(a, b, out, T::wrapping_sub),
        Binary::Mul => fill(a, b, out, T::wrapping_mul),
        Binary::Div => fill(a, b, out, |a, b| {
            let (q, zero) = (a.floor_div(b), T::default());
            let inexact = a.floor_mod(b) != zero;
            if inexact && (a < zero) != (b < zero) { q.wrapping_add(T::from_i64(1)) } else { q }
        }),
        Binary::FloorDiv => fill(a, b, out, T::floor_div),
        Binary::Mod => fill(a, b, out, T::floor_mod),
        Binary::Pow => fill(a, b, out, T::power),
        Binary::Max => fill(a, b, out, |a, b| if a < b { b } else { a }),
        Binary::Min => fill(a, b, out, |a, b| if a > b { b } else { a }),
    });
}

/// `out = a op b` as bool bytes; `T` is any element with an order (floats, integers, bool bytes).
pub fn compare<T: Copy + Sync + PartialOrd>(
    op: Compare,
    plan: &Broadcast,
    a: &[T],
    b: &[T],
    out: &mut [u8],
    pool: &Pool,
) {
    plan.run(a, b, out, pool, |a, b, out| match op {
        Compare::Equal => fill(a, b, out, |a, b| u8::from(a == b)),
        Compare::NotEqual => fill(a, b, out, |a, b| u8::from(a != b)),
        Compare::Less => fill(a, b, out, |a, b| u8::from(a < b)),
        Compare::LessEqual => fill(a, b, out, |a, b| u8::from(a <= b)),
        Compare::Greater => fill(a, b, out, |a, b| u8::from(a > b)),
        Compare::GreaterEqual => fill(a, b, out, |a, b| u8::from(a >= b)),
    });
}

/// `out = a op b` on bool bytes, 0 is false.
pub fn logical(op: Logical, plan: &Broadcast, a: &[u8], b: &[u8], out: &mut [u8], pool: &Pool) {
    plan.run(a, b, out, pool, |a, b, out| match op {
        Logical::And => fill(a, b, out, |a, b| u8::from(a != 0 && b != 0)),
        Logical::Or => fill(a, b, out, |a, b| u8::from(a != 0 || b != 0)),
        Logical::Xor => fill(a, b, out, |a, b| u8::from((a != 0) != (b != 0))),
    });
}

/// How condition and both choices are read together.
#[derive(Clone, Debug)]
pub struct Select {
    loops: Loops<3>,
    shape: Vec<usize>,
}

impl Select {
    /// `None` when the shapes do not broadcast.
    pub fn new(condition: &[usize], a: &[usize], b: &[usize]) -> Option<Select> {
        let shape = broadcast_shape(&broadcast_shape(condition, a)?, b)?;
        let strides = [condition, a, b].map(|s| broadcast_strides(s, &shape));
        let [Some(c), Some(a), Some(b)] = strides else { return None };
        Some(Select { loops: Loops::new(&shape, [&c, &a, &b]), shape })
    }

    /// The shape of the result.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// `out = condition ? a : b`; moves elements of any type unchanged.
    pub fn run<T: Copy + Send + Sync>(&self, condition: &[u8], a: &[T], b: &[T], out: &mut [T], pool: &Pool) {
        let Loops { row, steps, .. } = self.loops;
        assert_eq!(out.len(), self.loops.count());
        if out.is_empty() {
            return;
        }
        let out = SharedMut::new(out);
        pool.for_ranges(self.loops.rows(), (GRAIN / row).max(1), |range| {
            self.loops.for_rows(range, |r, [oc, oa, ob]| {
                // SAFETY: row `r` belongs to this range alone.
                let out = unsafe { out.slice(r * row..(r + 1) * row) };
                for (i, o) in out.iter_mut().enumerate() {
                    let yes = condition[oc + i * steps[0]] != 0;
                    *o = if yes { a[oa + i * steps[1]] } else { b[ob + i * steps[2]] };
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, assert_close};

    fn index(shape: &[usize], out: &[usize], mut i: usize) -> usize {
        let strides = broadcast_strides(shape, out).unwrap();
        let mut at = 0;
        for d in (0..out.len()).rev() {
            at += i % out[d] * strides[d];
            i /= out[d];
        }
        at
    }

    const SHAPES: &[(&[usize], &[usize])] = &[
        (&[5, 7], &[5, 7]),
        (&[], &[3]),
        (&[2, 3, 4], &[4]),
        (&[2, 3, 4], &[3, 1]),
        (&[2, 1, 4], &[3, 1]),
        (&[1, 8, 300, 5], &[8, 1, 1]),
        (&[3000], &[1]),
        (&[1], &[3000]),
        (&[0, 3], &[3]),
        (&[2, 3, 1, 5], &[1, 3, 4, 1]),
    ];

    #[test]
    fn broadcasting_matches_numpy() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(2));
        for &(sa, sb) in SHAPES {
            let plan = Broadcast::new(sa, sb).unwrap();
            let shape = plan.shape().to_vec();
            let n: usize = shape.iter().product();
            let a = random.vec(sa.iter().product(), 3.0);
            let b: Vec<f32> = random.vec(sb.iter().product(), 3.0).iter().map(|v| v + 4.0).collect();
            for (op, exact) in [
                (Binary::Sub, (|a, b| a - b) as fn(f64, f64) -> f64),
                (Binary::Mul, |a, b| a * b),
                (Binary::Div, |a, b| a / b),
                (Binary::Mod, f64::rem_euclid),
                (Binary::Max, f64::max),
            ] {
                let mut out = vec![0f32; n];
                binary(op, &plan, &a, &b, &mut out, &pool);
                let want: Vec<f64> = (0..n)
                    .map(|i| exact(a[index(sa, &shape, i)].into(), b[index(sb, &shape, i)].into()))
                    .collect();
                assert_close(&out, &want, 2e-6, &format!("{op:?} {sa:?} {sb:?}"));
            }
            let mut out = vec![0u8; n];
            compare(Compare::Less, &plan, &a, &b, &mut out, &pool);
            assert!((0..n).all(|i| (out[i] != 0) == (a[index(sa, &shape, i)] < b[index(sb, &shape, i)])));
            let condition: Vec<u8> = (0..n).map(|i| (i % 3 == 0).into()).collect();
            let select = Select::new(&shape, sa, sb).unwrap();
            let mut out = vec![0f32; n];
            select.run(&condition, &a, &b, &mut out, &pool);
            assert!((0..n).all(
                |i| out[i] == if i % 3 == 0 { a[index(sa, &shape, i)] } else { b[index(sb, &shape, i)] }
            ));
        }
        assert!(Broadcast::new(&[2], &[3]).is_none());
    }

    #[test]
    fn integers_floor_and_wrap() {
        let plan = Broadcast::new(&[6], &[6]).unwrap();
        let (a, b) = ([7, -7, 7, -7, i32::MIN, 5], [2, 2, -2, -2, -1, 0]);
        let mut out = [0; 6];
        int_binary(Binary::FloorDiv, &plan, &a, &b, &mut out, &Pool::inline());
        assert_eq!(out, [3, -4, -4, 3, i32::MIN, 0]);
        int_binary(Binary::Mod, &plan, &a, &b, &mut out, &Pool::inline());
        assert_eq!(out, [1, 1, -1, -1, 0, 0]);
        int_binary(Binary::Div, &plan, &a, &b, &mut out, &Pool::inline());
        assert_eq!(out, [3, -3, -3, 3, i32::MIN, 0]);
        int_binary(
            Binary::Pow,
            &plan,
            &[2, -1, 3, 10, 0, 7],
            &[10, -3, 0, 2, 5, 1],
            &mut out,
            &Pool::inline(),
        );
        assert_eq!(out, [1024, -1, 1, 100, 0, 7]);
    }
}
