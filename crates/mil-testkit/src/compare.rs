//! Is a result near enough to what it should be?

use mil_base::Tensor;
use mil_ops::contract::Bound;

/// The allowance for the examples' literals, which are rounded to the dtype when they are read: one unit in the last
/// place.
pub fn rounding(dtype: mil_base::DType) -> Bound {
    match dtype {
        mil_base::DType::Fp16 => Bound { abs: 3e-8, rel: 1.0 / 1024.0, scale: 0.0 },
        d if d.is_float() => Bound { abs: 1e-44, rel: 1.2e-7, scale: 0.0 },
        _ => Bound::EXACT,
    }
}

/// Both allowances together.
pub fn sum(a: Bound, b: Bound) -> Bound {
    Bound { abs: a.abs + b.abs, rel: a.rel + b.rel, scale: a.scale + b.scale }
}

/// Compares `got` with `want`: dtype and shape equal, every element within `bound`, infinities and NaN where they should
/// be. The error names the worst element.
pub fn compare(want: &Tensor, got: &Tensor, bound: Bound) -> Result<(), String> {
    compare_with(want, got, bound, &[])
}

/// As [`compare`], with more allowed for some elements: `extra` by index, nothing beyond its end.
pub fn compare_with(want: &Tensor, got: &Tensor, bound: Bound, extra: &[f64]) -> Result<(), String> {
    if want.dtype() != got.dtype() || want.shape() != got.shape() {
        return Err(format!("is {} but should be {}", got.ty(), want.ty()));
    }
    if want.strings() != got.strings() {
        return Err(format!("is {got:?} but should be {want:?}"));
    }
    if want.dtype().is_int() && want.to_i64() == got.to_i64() {
        return Ok(());
    }
    let (wanted, given) = (want.to_f64(), got.to_f64());
    let largest = wanted.iter().filter(|v| v.is_finite()).fold(0.0, |m: f64, v| m.max(v.abs()));
    let mut worst: Option<(f64, usize)> = None;
    for (at, (&w, &g)) in wanted.iter().zip(&given).enumerate() {
        if w == g || (w.is_nan() && g.is_nan()) {
            continue;
        }
        let allowed = bound.allows(w, largest) + extra.get(at).copied().unwrap_or(0.0);
        let excess = (w - g).abs() / allowed;
        let excess = if excess.is_nan() { f64::INFINITY } else { excess };
        if excess > 1.0 && worst.is_none_or(|(e, _)| excess > e) {
            worst = Some((excess, at));
        }
    }
    match worst {
        None => Ok(()),
        Some((excess, at)) => Err(format!(
            "element {at} is {:e} but should be {:e}: {excess:.1} times the allowance",
            given[at], wanted[at]
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::{DType, Tensor};

    fn t(values: &[f64]) -> Tensor {
        Tensor::from_f64(DType::Fp32, &[values.len()], values).unwrap()
    }

    #[test]
    fn near_is_near_and_far_is_far() {
        let bound = Bound { abs: 0.1, rel: 0.0, scale: 0.0 };
        assert!(compare(&t(&[1.0, f64::NAN]), &t(&[1.05, f64::NAN]), bound).is_ok());
        assert!(compare(&t(&[1.0]), &t(&[1.2]), bound).unwrap_err().contains("element 0"));
        assert!(compare(&t(&[1.0]), &t(&[f64::NAN]), bound).is_err());
        assert!(compare(&t(&[f64::INFINITY]), &t(&[f64::from(f32::MAX)]), bound).is_err());
        assert!(compare(&t(&[1.0]), &t(&[1.0, 1.0]), bound).is_err());
        assert!(compare(&t(&[1.0]), &t(&[1.0000001]), Bound::EXACT).is_err());
    }
}
