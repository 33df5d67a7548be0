//! Reading an image between and beyond its pixels, in f64.

use crate::contract::Failure;

/// What lies outside an image.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Outside {
    /// This value.
    Constant(f64),
    /// The nearest pixel of the border.
    Border,
    /// The image mirrored at the centres of its border pixels: `3 2 1 2 3`.
    Reflection,
    /// The image mirrored at its edges: `2 1 1 2 3 3 2`.
    Symmetric,
}

/// How a value between pixels is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Interpolation {
    /// The nearest pixel, halves to even places.
    Nearest,
    /// The four neighbours mixed.
    Bilinear,
}

/// One channel of an image.
#[derive(Clone, Copy)]
pub(super) struct Plane<'a> {
    /// Row-major pixels; at least one.
    pub(super) pixels: &'a [f64],
    /// Pixels of a row.
    pub(super) width: usize,
    /// Rows.
    pub(super) height: usize,
}

impl Plane<'_> {
    /// The pixel at a whole place, or what is outside.
    fn pixel(&self, x: f64, y: f64, outside: Outside) -> f64 {
        let inside = |v: f64, size: usize| v >= 0.0 && v <= (size - 1) as f64;
        match outside {
            Outside::Constant(value) if !inside(x, self.width) || !inside(y, self.height) => value,
            _ => {
                let clamp = |v: f64, size: usize| v.clamp(0.0, (size - 1) as f64) as usize;
                self.pixels[clamp(y, self.height) * self.width + clamp(x, self.width)]
            }
        }
    }

    /// The value at column `x` and row `y`.
    pub(super) fn at(&self, x: f64, y: f64, how: Interpolation, outside: Outside) -> f64 {
        if !x.is_finite() || !y.is_finite() {
            return match outside {
                Outside::Constant(value) => value,
                _ => f64::NAN,
            };
        }
        let (x, y) = (folded(x, self.width, outside), folded(y, self.height, outside));
        if how == Interpolation::Nearest {
            return self.pixel(x.round_ties_even(), y.round_ties_even(), outside);
        }
        let (x0, y0) = (x.floor(), y.floor());
        let (across, down) = (x - x0, y - y0);
        let row =
            |y: f64| self.pixel(x0, y, outside) * (1.0 - across) + self.pixel(x0 + 1.0, y, outside) * across;
        row(y0) * (1.0 - down) + row(y0 + 1.0) * down
    }
}

/// A coordinate brought into the image, unless a constant is outside.
pub(super) fn folded(v: f64, size: usize, outside: Outside) -> f64 {
    let last = size.saturating_sub(1) as f64;
    match outside {
        Outside::Constant(_) => v,
        Outside::Border => v.clamp(0.0, last),
        Outside::Reflection if last == 0.0 => 0.0,
        Outside::Reflection => {
            let phase = v.abs() % (2.0 * last);
            phase.min(2.0 * last - phase)
        }
        Outside::Symmetric => {
            let period = 2.0 * (last + 1.0);
            let phase = (v + 0.5).abs() % period;
            (phase.min(period - phase) - 0.5).clamp(0.0, last)
        }
    }
}

/// The number of elements of a result, if memory can hold it.
pub(super) fn elements(shape: &[usize]) -> Result<usize, Failure> {
    mil_base::tensor::count(shape)
        .filter(|&n| n <= 1 << 33)
        .ok_or_else(|| Failure::new("op/too-large", "the result is larger than memory can hold"))
}
