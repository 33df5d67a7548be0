//! How far outputs are from the reference's, in the units in which cards state it.

use mil_base::{DType, Tensor};
use mil_ops::contract::{Accuracy, Bound, RefTensor};
use mil_run::Compared;
use std::sync::Arc;

/// The dtypes whose accuracy cards state.
pub const FLOATS: [DType; 2] = [DType::Fp16, DType::Fp32];

/// Half a unit in the last place, relative.
pub fn half_unit(dtype: DType) -> f64 {
    if dtype == DType::Fp16 { 1.0 / 2048.0 } else { 1.0 / 16_777_216.0 }
}

/// An op's outputs of one dtype, on all inputs. Where an op's terms cancel, elements that are ill-conditioned are not
/// counted here: they need not be within the bound, but must be within what [`Accuracy::cancels`] excuses.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Measured {
    /// Random inputs of the function.
    pub inputs: usize,
    /// Elements compared.
    pub elements: usize,
    /// The largest part of the stated bound that an element needed; at most 1 is inside.
    pub share: f64,
    /// The least that each part of the bound could be, the other parts being as they are: absolute, relative to the
    /// element, relative to the largest.
    pub needs: [f64; 3],
    /// Elements beyond the bound that are ill-conditioned.
    pub excused: usize,
    /// The largest part of the excuse that one of those needed; at most 1 is inside.
    pub excuse: f64,
    /// Where [`Measured::share`] arose, for messages.
    pub at: String,
    /// Where [`Measured::excuse`] arose.
    pub excused_at: String,
}

/// A bound's parts in the order of [`Measured::needs`].
pub fn parts(bound: Bound) -> [f64; 3] {
    [bound.abs, bound.rel, bound.scale]
}

/// An element is ill-conditioned if the last digits of the inputs move it by more than this many units in the last
/// place of the tensor's largest element. A sum of random terms that do not happen to cancel moves by one or two.
const CONDITION: f64 = 4.0;

impl Measured {
    /// Adds what one step made. `at` says where this was, for messages.
    pub fn add(&mut self, stated: Accuracy, dtype: DType, step: &Compared<'_>, at: &dyn Fn() -> String) {
        let mut moved: Option<Vec<Vec<f64>>> = None;
        let beyond = |t: &Arc<RefTensor>| t.f64s().iter().any(|v| v.abs() > f64::from(f32::MAX) / 4.0);
        let overflows = stated.cancels && step.want.iter().any(beyond);
        for (index, (want, got)) in step.want.iter().zip(step.got).enumerate() {
            if want.dtype != dtype {
                if !got.dtype().is_float() && want.to_tensor().ok().as_ref() != Some(got) {
                    self.share = f64::INFINITY;
                    self.at = format!("{}: output {index} is not the reference's", at());
                }
                continue;
            }
            let bound = stated.bound(dtype);
            let mut found = Found::of(want, got, bound, None, overflows);
            // Nothing can be excused that would not have counted.
            if stated.cancels && found.raises(self) {
                let moved = &moved.get_or_insert_with(|| step.moved())[index];
                found = Found::of(want, got, bound, Some(moved), overflows);
            }
            self.elements += found.elements;
            self.excused += found.excused;
            if found.excuse > self.excuse {
                self.excuse = found.excuse;
                self.excused_at = at();
            }
            if found.share > self.share {
                self.share = found.share;
                self.at = format!("{}: {:e} should be {:e}", at(), found.worst.1, found.worst.0);
            }
            for (need, found) in self.needs.iter_mut().zip(found.needs) {
                *need = need.max(found);
            }
        }
    }
}

/// One tensor.
#[derive(Default)]
struct Found {
    elements: usize,
    share: f64,
    needs: [f64; 3],
    excused: usize,
    excuse: f64,
    worst: (f64, f64),
}

impl Found {
    /// `moved` is by how much ill-conditioned elements move; `overflows`, that a sum left the range of fp32 on the way.
    fn of(want: &RefTensor, got: &Tensor, bound: Bound, moved: Option<&[f64]>, overflows: bool) -> Found {
        let (wanted, given) = (want.f64s(), got.to_f64());
        let mut found = Found { elements: wanted.len(), ..Found::default() };
        if want.shape != got.shape() || want.dtype != got.dtype() {
            return Found { share: f64::INFINITY, ..found };
        }
        let rounded = want.to_tensor().map(|t| t.to_f64()).unwrap_or_default();
        let largest = wanted.iter().filter(|v| v.is_finite()).fold(0.0, |m: f64, v| m.max(v.abs()));
        for (i, (&w, &g)) in wanted.iter().zip(&given).enumerate() {
            let right = rounded.get(i) == Some(&g);
            if w == g || (w.is_nan() && g.is_nan()) || (right && (bound == Bound::EXACT || g.is_infinite())) {
                continue;
            }
            // What follows from such a sum may have no value.
            if overflows && !g.is_finite() {
                continue;
            }
            // What overflowed is taken for the least that overflows.
            let least = if want.dtype == DType::Fp16 { 65520.0 } else { 2f64.powi(128) };
            let g = if g.is_infinite() && w.is_finite() { least.copysign(g) } else { g };
            let off = (w - g).abs();
            let off = if off.is_nan() { f64::INFINITY } else { off };
            let allowed = bound.allows(w, largest);
            if let Some(moved) =
                moved.and_then(|m| m.get(i)).filter(|m| **m > CONDITION * Accuracy::LAST_DIGIT * largest)
            {
                if off > allowed {
                    found.excused += 1;
                    found.excuse = found.excuse.max((off - allowed) / (Accuracy::MOVED * moved));
                }
                continue;
            }
            if off / allowed > found.share {
                (found.share, found.worst) = (off / allowed, (w, g));
            }
            let of = [1.0, w.abs(), largest];
            let each: [f64; 3] = std::array::from_fn(|part| parts(bound)[part] * of[part]);
            for (part, need) in found.needs.iter_mut().enumerate() {
                let others: f64 = (0..3).filter(|p| *p != part).map(|p| each[p]).sum();
                *need = need.max((off - others).max(0.0) / of[part]);
            }
        }
        found
    }

    fn raises(&self, measured: &Measured) -> bool {
        self.share > measured.share || self.needs.iter().zip(measured.needs).any(|(a, b)| *a > b)
    }
}
