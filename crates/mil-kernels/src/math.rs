//! Elementary functions on `f32`, branch-free so that loops over them vectorise.
//!
//! Accuracy against the exact value, over the whole range, is stated at each function and held by the tests below.
//! Polynomials: Cephes (`expf`, `logf`, `tanhf`) and N. Juffa's published `erff` coefficients.

#![allow(clippy::excessive_precision)] // Coefficients stand as they are published.

/// 1.5 * 2^23: adding it rounds to an integer, held in the low bits of the mantissa.
const ROUND: f32 = 12_582_912.0;

/// `2^n` for `n` in -126..=127.
#[inline(always)]
fn pow2(n: i32) -> f32 {
    f32::from_bits(((n + 127) << 23) as u32)
}

/// e^x, within 2 ulp; overflows to infinity. Results below 2^-126 are zero: a subnormal result costs the processor a
/// trap to microcode, a hundred times the price of the function.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LOWEST: f32 = -87.336_54;
    let y = if x > 89.0 { 89.0 } else { x };
    let y = if y < LOWEST { LOWEST } else { y };
    let (t, p) = reduced_exp(y);
    let (n, p) = (integer(t), p + 1.0);
    let half = n >> 1;
    let e = p * pow2(half) * pow2(n.wrapping_sub(half));
    if x < LOWEST { 0.0 } else { e }
}

/// The integer `n` of `ROUND + n`.
#[inline(always)]
fn integer(t: f32) -> i32 {
    (t.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32)
}

/// `n` and `e^r - 1` with `x = n ln 2 + r` and `r` small; `n` as `ROUND + n`, whose low bits are the integer.
#[inline(always)]
fn reduced_exp(x: f32) -> (f32, f32) {
    let t = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let nf = t - ROUND;
    let r = nf.mul_add(-0.693_359_375, x);
    let r = nf.mul_add(2.121_944_4e-4, r);
    let mut p = 1.987_569_1e-4_f32;
    p = p.mul_add(r, 1.398_199_9e-3);
    p = p.mul_add(r, 8.333_452e-3);
    p = p.mul_add(r, 4.166_579_6e-2);
    p = p.mul_add(r, 1.666_666_5e-1);
    p = p.mul_add(r, 0.5);
    (t, (p * r).mul_add(r, r))
}

/// e^x - 1, within 3 ulp.
#[inline(always)]
pub fn expm1(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -60.0 { -60.0 } else { x };
    // 2^n (e^r - 1) + (2^n - 1): near zero n is 0 and nothing cancels.
    let (t, p) = reduced_exp(x);
    let n = integer(t);
    let half = n >> 1;
    let (low, high) = (pow2(half), pow2(n.wrapping_sub(half)));
    (p * low).mul_add(high, low * high - 1.0)
}

/// e^x for x at most 0, without the care that overflow needs; results below 2^-126 are zero.
#[inline(always)]
pub fn exp_nonpositive(x: f32) -> f32 {
    const LOWEST: f32 = -87.336_54;
    let y = if x < LOWEST { LOWEST } else { x };
    let (t, p) = reduced_exp(y);
    let p = p + 1.0;
    // The integer sits in the low bits of `t`; shifted into the exponent, its upper bits fall off.
    let scale = f32::from_bits((t.to_bits() << 23).wrapping_add(0x3f80_0000));
    if x < LOWEST { 0.0 } else { p * scale }
}

/// Natural logarithm, within 2 ulp; negative gives NaN, zero gives minus infinity.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * 16_777_216.0 } else { x };
    let bits = scaled.to_bits() as i32;
    let e = (bits >> 23) - 126 - if tiny { 24 } else { 0 };
    let m = f32::from_bits(((bits & 0x007f_ffff) | 0x3f00_0000) as u32);
    let low = m < std::f32::consts::FRAC_1_SQRT_2;
    let e = (if low { e - 1 } else { e }) as f32;
    let f = if low { m + m - 1.0 } else { m - 1.0 };
    let z = f * f;
    let mut p = 7.037_683_6e-2_f32;
    p = p.mul_add(f, -1.151_461e-1);
    p = p.mul_add(f, 1.167_699_9e-1);
    p = p.mul_add(f, -1.242_014_1e-1);
    p = p.mul_add(f, 1.424_932_3e-1);
    p = p.mul_add(f, -1.666_805_8e-1);
    p = p.mul_add(f, 2.000_071_4e-1);
    p = p.mul_add(f, -2.499_999_4e-1);
    p = p.mul_add(f, 3.333_333_1e-1);
    let y = f * z * p;
    let y = e.mul_add(-2.121_944_4e-4, y);
    let y = z.mul_add(-0.5, y);
    let y = e.mul_add(0.693_359_375, f + y);
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    let y = if x < 0.0 { f32::NAN } else { y };
    if x < f32::INFINITY { y } else { x }
}

/// Hyperbolic tangent, within 3 ulp.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let z = x * x;
    let mut p = -5.704_988_7e-3_f32;
    p = p.mul_add(z, 2.063_909e-2);
    p = p.mul_add(z, -5.373_971_6e-2);
    p = p.mul_add(z, 1.333_144_2e-1);
    p = p.mul_add(z, -3.333_328e-1);
    let small = (p * z).mul_add(x, x);
    let a = x.abs();
    let large = (1.0 - 2.0 / (exp(a + a) + 1.0)).copysign(x);
    if a < 0.625 { small } else { large }
}

/// Logistic function, within 3 ulp for results above 1e-37.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Largest magnitude [`sin`] and [`cos`] are accurate for.
pub const TRIGONOMETRIC_LIMIT: f32 = 8192.0;

/// The angle less the nearest multiple of a right angle, and that multiple modulo 4 in the low bits.
#[inline(always)]
fn quadrant(x: f32) -> (f32, i32) {
    let t = x.mul_add(std::f32::consts::FRAC_2_PI, ROUND);
    let n = (t.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let nf = t - ROUND;
    // A right angle in three parts, so that the difference keeps its digits where it is small.
    let r = nf.mul_add(-1.570_796_4, x);
    let r = nf.mul_add(4.371_139e-8, r);
    (nf.mul_add(1.715_124_5e-15, r), n)
}

/// Sine or cosine of an angle in a quadrant: the sine series in even quadrants, the cosine's in odd ones.
#[inline(always)]
fn wave(r: f32, n: i32) -> f32 {
    let z = r * r;
    let mut s = -1.951_529_6e-4_f32;
    s = s.mul_add(z, 8.332_161e-3);
    s = s.mul_add(z, -1.666_665_5e-1);
    let s = (s * z).mul_add(r, r);
    let mut c = 2.443_315_7e-5_f32;
    c = c.mul_add(z, -1.388_731_6e-3);
    c = c.mul_add(z, 4.166_664_6e-2);
    let c = (c * z).mul_add(z, z.mul_add(-0.5, 1.0));
    let y = if n & 1 == 0 { s } else { c };
    f32::from_bits(y.to_bits() ^ ((n as u32 & 2) << 30))
}

/// Sine, within 2 ulp up to [`TRIGONOMETRIC_LIMIT`].
#[inline(always)]
pub fn sin(x: f32) -> f32 {
    let (r, n) = quadrant(x);
    wave(r, n)
}

/// Cosine, within 2 ulp up to [`TRIGONOMETRIC_LIMIT`].
#[inline(always)]
pub fn cos(x: f32) -> f32 {
    let (r, n) = quadrant(x);
    wave(r, n.wrapping_add(1))
}

/// Error function, within 2 ulp.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let (t, s) = (x.abs(), x * x);
    let mut r = (-1.728_534_7e-5_f32).mul_add(t, 3.831_971_3e-4);
    let u = (-3.883_964_4e-3_f32).mul_add(t, 2.425_462_2e-2);
    r = r.mul_add(s, u);
    r = r.mul_add(t, -1.067_778_8e-1);
    r = r.mul_add(t, -6.348_467e-1);
    r = r.mul_add(t, -1.287_175_1e-1);
    r = r.mul_add(t, -t);
    // Beyond 5 the polynomial is meaningless, and the result is 1 already.
    let r = if t > 5.0 { -60.0 } else { r };
    let large = (1.0 - exp_nonpositive(r)).copysign(x);
    let mut p = -5.967_617e-4_f32;
    p = p.mul_add(s, 4.991_194_2e-3);
    p = p.mul_add(s, -2.676_813_5e-2);
    p = p.mul_add(s, 1.128_199_3e-1);
    p = p.mul_add(s, -3.761_253_4e-1);
    p = p.mul_add(s, 1.283_791_7e-1);
    let small = p.mul_add(x, x);
    if t > 0.927_734_4 { large } else { small }
}

/// x Φ(x), the exact GELU; absolute error below 1e-7 (1 + |x|).
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// GELU by the hyperbolic tangent, as MIL's `TANH_APPROXIMATION` states it.
#[inline(always)]
pub fn gelu_tanh(x: f32) -> f32 {
    let inner = (x * x * x).mul_add(0.044_715, x) * 0.797_884_6;
    0.5 * x * (1.0 + tanh(inner))
}

/// ln(1 + e^x) without overflow; absolute error below 2e-7 (1 + |x|).
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    let e = exp(-x.abs());
    // What rounding took from 1 + e, over 1 + e, is what its logarithm lacks.
    let u = 1.0 + e;
    let log = ln(u) + (e - (u - 1.0)) / u;
    (if x > 0.0 { x } else { 0.0 }) + log
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst_ulp(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, low: f32, high: f32) -> f64 {
        let mut worst = 0f64;
        for i in 0..200_000 {
            let x = low + (high - low) * (i as f32 / 200_000.0);
            let (got, want) = (f64::from(f(x)), exact(f64::from(x)));
            let near = want as f32;
            let ulp = f64::from(f32::from_bits(near.abs().to_bits() + 1)) - f64::from(near.abs());
            worst = worst.max((got - want).abs() / ulp);
        }
        worst
    }

    #[test]
    fn accuracy_is_as_stated() {
        assert!(worst_ulp(exp, libm::exp, -87.0, 88.7) < 2.0);
        assert!(worst_ulp(exp, libm::exp, -1.0, 1.0) < 2.0);
        assert!(worst_ulp(expm1, libm::expm1, -20.0, 0.0) < 3.0);
        assert!(worst_ulp(expm1, libm::expm1, -0.1, 0.1) < 3.0);
        assert!(worst_ulp(exp_nonpositive, libm::exp, -87.0, 0.0) < 2.0);
        for high in [0.8, 7.0, 300.0, TRIGONOMETRIC_LIMIT] {
            assert!(worst_ulp(sin, libm::sin, -high, high) < 2.0, "sin up to {high}");
            assert!(worst_ulp(cos, libm::cos, -high, high) < 2.0, "cos up to {high}");
        }
        assert!(worst_ulp(ln, libm::log, 1e-30, 10.0) < 2.0);
        assert!(worst_ulp(ln, libm::log, 1e3, 1e30) < 2.0);
        assert!(worst_ulp(tanh, libm::tanh, -10.0, 10.0) < 3.0);
        assert!(worst_ulp(erf, libm::erf, -6.0, 6.0) < 2.0);
        assert!(worst_ulp(sigmoid, |x| 1.0 / (1.0 + libm::exp(-x)), -80.0, 80.0) < 3.0);
        for i in -4000..4000 {
            let x = i as f32 * 0.01;
            let (d, bound) = (f64::from(x), 1e-7 * (1.0 + f64::from(x.abs())));
            let exact = 0.5 * d * (1.0 + libm::erf(d / 2f64.sqrt()));
            assert!((f64::from(gelu(x)) - exact).abs() < bound, "gelu {x}");
            let exact = libm::log1p(libm::exp(-d.abs())) + d.max(0.0);
            assert!((f64::from(softplus(x)) - exact).abs() < 2.0 * bound, "softplus {x}");
        }
    }

    #[test]
    fn the_edges_are_right() {
        assert_eq!((exp(f32::INFINITY), exp(f32::NEG_INFINITY), exp(0.0)), (f32::INFINITY, 0.0, 1.0));
        assert_eq!((ln(0.0), ln(1.0), ln(f32::INFINITY)), (f32::NEG_INFINITY, 0.0, f32::INFINITY));
        assert_eq!((tanh(100.0), tanh(-100.0), erf(50.0), erf(-50.0)), (1.0, -1.0, 1.0, -1.0));
        assert_eq!((erf(f32::INFINITY), sigmoid(-200.0), sigmoid(200.0)), (1.0, 0.0, 1.0));
        for f in [exp, ln, tanh, erf, sigmoid, gelu, softplus] {
            assert!(f(f32::NAN).is_nan());
        }
        assert!(ln(-1.0).is_nan() && (ln(1e-40) + 92.103_4).abs() < 1e-3);
    }
}
