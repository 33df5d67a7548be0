//! Resampling images: nearest neighbour and bilinear, from tables made at plan time.

use crate::float::Float;
use crate::pool::Pool;
use crate::simd::simd;
use crate::unary::GRAIN;
use bytemuck::Pod;

/// Where each output position reads, along one dimension: the index of its neighbour.
pub type Nearest = Vec<usize>;

/// Where one output position reads, along one dimension: `low * (1 - weight) + high * weight`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tap {
    /// Lower neighbour.
    pub low: usize,
    /// Upper neighbour.
    pub high: usize,
    /// Share of the upper one.
    pub weight: f32,
}

/// How an output position maps to an input coordinate, before clamping to the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Coordinates {
    /// `o * (in - 1) / (out - 1)`: first and last elements coincide; 0 when there is one output.
    AlignCorners,
    /// `o * step`.
    Asymmetric {
        /// Input elements for one output.
        step: f64,
    },
    /// `(o + 0.5) * step - 0.5`: centres of pixels coincide.
    HalfPixel {
        /// Input elements for one output.
        step: f64,
    },
    /// `begin + o * (end - begin) / (out - 1)`, in input elements; the middle when there is one output.
    Span {
        /// Coordinate of the first output.
        begin: f64,
        /// Coordinate of the last output.
        end: f64,
    },
}

impl Coordinates {
    /// The coordinate of output `o` of `output`, over `input` elements.
    pub fn at(self, o: usize, input: usize, output: usize) -> f64 {
        let o = o as f64;
        match self {
            Coordinates::AlignCorners if output == 1 => 0.0,
            Coordinates::AlignCorners => o * (input.saturating_sub(1)) as f64 / (output - 1) as f64,
            Coordinates::Asymmetric { step } => o * step,
            Coordinates::HalfPixel { step } => (o + 0.5) * step - 0.5,
            Coordinates::Span { begin, end } if output == 1 => 0.5 * (begin + end),
            Coordinates::Span { begin, end } => begin + o * (end - begin) / (output - 1) as f64,
        }
    }

    /// The table for nearest neighbours: coordinates rounded down and clamped.
    pub fn nearest(self, input: usize, output: usize) -> Nearest {
        let last = input.saturating_sub(1);
        (0..output).map(|o| (self.at(o, input, output).floor().max(0.0) as usize).min(last)).collect()
    }

    /// The table for linear interpolation.
    pub fn linear(self, input: usize, output: usize) -> Vec<Tap> {
        let last = input.saturating_sub(1);
        (0..output)
            .map(|o| {
                let at = self.at(o, input, output).clamp(0.0, last as f64);
                let low = (at.floor() as usize).min(last);
                Tap { low, high: (low + 1).min(last), weight: (at - low as f64) as f32 }
            })
            .collect()
    }
}

/// Nearest neighbour over the last two dimensions of `[planes, input_h, input_w]`; elements move unchanged.
pub fn nearest<T: Pod + Send + Sync>(
    [input_h, input_w]: [usize; 2],
    rows: &Nearest,
    columns: &Nearest,
    x: &[T],
    out: &mut [T],
    pool: &Pool,
) {
    let width = columns.len();
    if out.is_empty() {
        return;
    }
    // Whole planes together, so that a repeated row is copied from the row above.
    let plane = rows.len() * width;
    assert_eq!(out.len() / plane * input_h * input_w, x.len());
    let factor = width.checked_div(input_w).unwrap_or(0);
    let repeats = factor * input_w == width && columns.iter().enumerate().all(|(o, &i)| i == o / factor);
    pool.for_pieces(out, plane, (GRAIN / plane).max(1), |p, out| {
        let x = &x[p * input_h * input_w..(p + 1) * input_h * input_w];
        for (o, &i) in rows.iter().enumerate() {
            let (done, rest) = out.split_at_mut(o * width);
            let line = &mut rest[..width];
            let source = &x[i * input_w..(i + 1) * input_w];
            if o > 0 && rows[o - 1] == i {
                line.copy_from_slice(&done[(o - 1) * width..]);
            } else if repeats && factor == 2 {
                line.as_chunks_mut::<2>().0.iter_mut().zip(source).for_each(|(pair, v)| *pair = [*v; 2]);
            } else if repeats {
                line.chunks_exact_mut(factor).zip(source).for_each(|(part, v)| part.fill(*v));
            } else {
                line.iter_mut().zip(columns).for_each(|(o, &i)| *o = source[i]);
            }
        }
    });
}

/// Bilinear interpolation over the last two dimensions of `[planes, input_h, input_w]`.
pub fn bilinear<T: Float>(
    [input_h, input_w]: [usize; 2],
    rows: &[Tap],
    columns: &[Tap],
    x: &[T],
    out: &mut [T],
    pool: &Pool,
) {
    let width = columns.len();
    if out.is_empty() {
        return;
    }
    pool.for_pieces(out, width, (GRAIN / 4 / width).max(1), |row, line| {
        let (plane, tap) = (row / rows.len(), rows[row % rows.len()]);
        let x = &x[plane * input_h * input_w..(plane + 1) * input_h * input_w];
        let (top, bottom) = (&x[tap.low * input_w..][..input_w], &x[tap.high * input_w..][..input_w]);
        let mut buffers = [[0f32; BLOCK]; 4];
        for (columns, line) in columns.chunks(BLOCK).zip(line.chunks_mut(BLOCK)) {
            let n = line.len();
            let [a, b, c, d] = &mut buffers;
            for (i, t) in columns.iter().enumerate() {
                (a[i], b[i]) = (top[t.low].to_f32(), top[t.high].to_f32());
                (c[i], d[i]) = (bottom[t.low].to_f32(), bottom[t.high].to_f32());
            }
            blend(&mut a[..n], &b[..n], &c[..n], &d[..n], columns, tap.weight);
            T::round(&a[..n], line);
        }
    });
}

/// Columns interpolated at once.
const BLOCK: usize = 256;

simd! {
    fn blend(a: &mut [f32], b: &[f32], c: &[f32], d: &[f32], columns: &[Tap], down: f32) {
        for (i, t) in columns.iter().enumerate() {
            let top = (b[i] - a[i]).mul_add(t.weight, a[i]);
            let bottom = (d[i] - c[i]).mul_add(t.weight, c[i]);
            a[i] = (bottom - top).mul_add(down, top);
        }
    }
}

/// Bilinear sampling at given points (MIL `resample`, affine warps, crops): for each of `points`, `(y, x)` in input
/// coordinates, each of `planes` is read; outside, `fill` gives the value or, when absent, the edge repeats.
/// `out` is `[planes, points]`.
pub fn sample<T: Float>(
    [input_h, input_w]: [usize; 2],
    points: &[[f32; 2]],
    fill: Option<f32>,
    bilinear: bool,
    x: &[T],
    out: &mut [T],
    pool: &Pool,
) {
    if out.is_empty() {
        return;
    }
    pool.for_pieces(out, points.len(), (GRAIN / 8 / points.len()).max(1), |plane, out| {
        let x = &x[plane * input_h * input_w..(plane + 1) * input_h * input_w];
        let at = |y: f32, z: f32| {
            let inside = y >= 0.0 && z >= 0.0 && y <= (input_h - 1) as f32 && z <= (input_w - 1) as f32;
            match fill {
                Some(value) if !inside => value,
                _ => {
                    let (y, z) = (y.clamp(0.0, (input_h - 1) as f32), z.clamp(0.0, (input_w - 1) as f32));
                    x[y as usize * input_w + z as usize].to_f32()
                }
            }
        };
        for (o, &[y, z]) in out.iter_mut().zip(points) {
            if !bilinear {
                *o = T::from_f32(at(y.round_ties_even(), z.round_ties_even()));
                continue;
            }
            let (y0, z0) = (y.floor(), z.floor());
            let (wy, wz) = (y - y0, z - z0);
            let top = at(y0, z0) * (1.0 - wz) + at(y0, z0 + 1.0) * wz;
            let bottom = at(y0 + 1.0, z0) * (1.0 - wz) + at(y0 + 1.0, z0 + 1.0) * wz;
            *o = T::from_f32(top * (1.0 - wy) + bottom * wy);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, assert_close};

    #[test]
    fn nearest_repeats() {
        let (pool, x) = (Pool::inline(), [1u8, 2, 3, 4, 5, 6]);
        let twice = |n| Coordinates::Asymmetric { step: 0.5 }.nearest(n, 2 * n);
        let mut out = [0u8; 24];
        nearest([2, 3], &twice(2), &twice(3), &x, &mut out, &pool);
        assert_eq!(out, [1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6]);
        let mut out = [0u8; 4];
        let rows = Coordinates::Asymmetric { step: 1.5 }.nearest(3, 2);
        nearest([2, 3], &vec![0, 1], &rows, &x, &mut out, &pool);
        assert_eq!(out, [1, 2, 4, 5]);
    }

    #[test]
    fn bilinear_matches_the_definition_and_sampling() {
        let (pool, mut random) = (Pool::new(2).unwrap(), Random::new(40));
        let x = random.vec(3 * 5 * 7, 1.0);
        for mode in [
            Coordinates::AlignCorners,
            Coordinates::HalfPixel { step: 0.4 },
            Coordinates::Asymmetric { step: 0.4 },
            Coordinates::Span { begin: 0.5, end: 3.5 },
        ] {
            let (rows, columns) = (mode.linear(5, 12), mode.linear(7, 17));
            let mut out = vec![0f32; 3 * 12 * 17];
            bilinear([5, 7], &rows, &columns, &x, &mut out, &pool);
            let mut points = Vec::new();
            let mut want = Vec::new();
            for p in 0..3 {
                for r in 0..12 {
                    for c in 0..17 {
                        let y = mode.at(r, 5, 12).clamp(0.0, 4.0);
                        let z = mode.at(c, 7, 17).clamp(0.0, 6.0);
                        if p == 0 {
                            points.push([y as f32, z as f32]);
                        }
                        let v = |y: f64, z: f64| {
                            f64::from(x[p * 35 + y.min(4.0) as usize * 7 + z.min(6.0) as usize])
                        };
                        let (fy, fz) = (y.floor(), z.floor());
                        let (wy, wz) = (y - fy, z - fz);
                        want.push(
                            (v(fy, fz) * (1.0 - wz) + v(fy, fz + 1.0) * wz) * (1.0 - wy)
                                + (v(fy + 1.0, fz) * (1.0 - wz) + v(fy + 1.0, fz + 1.0) * wz) * wy,
                        );
                    }
                }
            }
            assert_close(&out, &want, 1e-5, &format!("{mode:?}"));
            let mut sampled = vec![0f32; out.len()];
            sample([5, 7], &points, None, true, &x, &mut sampled, &pool);
            assert_close(&sampled, &want, 1e-5, &format!("sampled {mode:?}"));
        }
    }
}
