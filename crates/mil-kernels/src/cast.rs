//! Conversions between every pair of dtypes that are stored in whole bytes.

use crate::pool::Pool;
use crate::unary::{BLOCK, GRAIN};
use crate::view::{bytes_as, bytes_as_mut};
use mil_base::{DType, f16};

/// An element type that can be converted: through `f64` when a float is involved, through `i64` when not.
trait Element: bytemuck::Pod + Send + Sync {
    const FLOAT: bool;
    fn wide(self) -> f64;
    fn int(self) -> i64;
    /// Floats round to nearest even; integers truncate toward zero and saturate.
    fn from_wide(v: f64) -> Self;
    /// The low bits.
    fn from_int(v: i64) -> Self;
}

macro_rules! elements {
    ($($t:ident $float:literal)*) => {$(
        impl Element for $t {
            const FLOAT: bool = $float;
            #[inline(always)]
            fn wide(self) -> f64 { self as f64 }
            #[inline(always)]
            fn int(self) -> i64 { self as i64 }
            #[inline(always)]
            fn from_wide(v: f64) -> Self { v as $t }
            #[inline(always)]
            fn from_int(v: i64) -> Self { v as $t }
        }
    )*};
}
elements!(f32 true f64 true i8 false i16 false i32 false i64 false u8 false u16 false u32 false u64 false);

impl Element for f16 {
    const FLOAT: bool = true;
    fn wide(self) -> f64 {
        self.to_f64()
    }
    fn int(self) -> i64 {
        self.to_f64() as i64
    }
    fn from_wide(v: f64) -> f16 {
        f16::from_f64(v)
    }
    fn from_int(v: i64) -> f16 {
        f16::from_f64(v as f64)
    }
}

/// A byte that is a truth value.
#[derive(Clone, Copy, bytemuck::Zeroable)]
#[repr(transparent)]
struct Truth(u8);

// SAFETY: a transparent wrapper of a byte, for which every bit pattern is valid.
unsafe impl bytemuck::Pod for Truth {}

impl Element for Truth {
    const FLOAT: bool = false;
    fn wide(self) -> f64 {
        f64::from(u8::from(self.0 != 0))
    }
    fn int(self) -> i64 {
        i64::from(self.0 != 0)
    }
    fn from_wide(v: f64) -> Truth {
        Truth(u8::from(v != 0.0))
    }
    fn from_int(v: i64) -> Truth {
        Truth(u8::from(v != 0))
    }
}

fn convert<A: Element, B: Element>(x: &[u8], out: &mut [u8], pool: &Pool) {
    let (x, out) = (bytes_as::<A>(x), bytes_as_mut::<B>(out));
    assert_eq!(x.len(), out.len());
    pool.for_pieces(out, BLOCK, GRAIN / BLOCK, |i, out| {
        let x = x[i * BLOCK..].iter();
        if A::FLOAT || B::FLOAT {
            x.zip(out).for_each(|(x, o)| *o = B::from_wide(x.wide()));
        } else {
            x.zip(out).for_each(|(x, o)| *o = B::from_int(x.int()));
        }
    });
}

/// Calls `$body` with `$t` bound to the element type of `$dtype`; false for types that are not stored in whole bytes.
macro_rules! with_element {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            DType::Bool => {
                type $t = Truth;
                $body;
                true
            }
            DType::Fp16 => {
                type $t = f16;
                $body;
                true
            }
            DType::Fp32 => {
                type $t = f32;
                $body;
                true
            }
            DType::Fp64 => {
                type $t = f64;
                $body;
                true
            }
            DType::Int8 => {
                type $t = i8;
                $body;
                true
            }
            DType::Int16 => {
                type $t = i16;
                $body;
                true
            }
            DType::Int32 => {
                type $t = i32;
                $body;
                true
            }
            DType::Int64 => {
                type $t = i64;
                $body;
                true
            }
            DType::UInt8 => {
                type $t = u8;
                $body;
                true
            }
            DType::UInt16 => {
                type $t = u16;
                $body;
                true
            }
            DType::UInt32 => {
                type $t = u32;
                $body;
                true
            }
            DType::UInt64 => {
                type $t = u64;
                $body;
                true
            }
            _ => false,
        }
    };
}

/// Can [`cast`] convert between these?
pub fn can_cast(from: DType, to: DType) -> bool {
    let known =
        |d: DType| d.size().is_some() && !matches!(d, DType::Bf16 | DType::Fp8E4M3Fn | DType::Fp8E5M2);
    known(from) && known(to)
}

/// Converts elements: floats round to nearest even, floats to integers truncate and saturate, integers keep their low
/// bits, bool is "not zero". False, with nothing done, unless [`can_cast`].
pub fn cast(from: DType, to: DType, x: &[u8], out: &mut [u8], pool: &Pool) -> bool {
    match (from, to) {
        (a, b) if a == b && can_cast(a, b) => {
            out.copy_from_slice(x);
            true
        }
        (DType::Fp16, DType::Fp32) => {
            let x = bytes_as::<f16>(x);
            pool.for_pieces(bytes_as_mut::<f32>(out), BLOCK, GRAIN / BLOCK, |i, out| {
                crate::float::expand(&x[i * BLOCK..][..out.len()], out);
            });
            true
        }
        (DType::Fp32, DType::Fp16) => {
            let x = bytes_as::<f32>(x);
            pool.for_pieces(bytes_as_mut::<f16>(out), BLOCK, GRAIN / BLOCK, |i, out| {
                crate::float::round(&x[i * BLOCK..][..out.len()], out);
            });
            true
        }
        (from, to) => {
            with_element!(from, A => {
                if !with_element!(to, B => convert::<A, B>(x, out, pool)) {
                    return false;
                }
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::Tensor;

    #[test]
    fn every_pair_agrees_with_the_tensor_type() {
        let values = [0.0, 1.0, -1.0, 2.5, -2.5, 100.75, -77.0, 3.0e4];
        let pool = Pool::inline();
        for &from in DType::ALL {
            for &to in DType::ALL {
                if !can_cast(from, to) {
                    continue;
                }
                let x = Tensor::from_f64(from, &[8], &values).unwrap();
                let mut out = vec![0u64; 8];
                let out = &mut bytemuck::cast_slice_mut::<u64, u8>(&mut out)[..to.size().unwrap() * 8];
                let mut aligned = vec![0u64; 8];
                let input = &mut bytemuck::cast_slice_mut::<u64, u8>(&mut aligned)[..x.bytes().len()];
                input.copy_from_slice(x.bytes());
                assert!(cast(from, to, input, out, &pool), "{from} {to}");
                if from.is_float() || to.is_float() || to == DType::Bool {
                    let want = Tensor::from_f64(to, &[8], &x.to_f64()).unwrap();
                    assert_eq!(out, want.bytes(), "{from} to {to}");
                }
            }
        }
        assert!(!cast(DType::String, DType::Fp32, &[], &mut [], &pool));
    }

    #[test]
    fn integers_keep_their_low_bits_and_floats_saturate() {
        let mut out = [0u8; 2];
        let x: [i32; 2] = [300, -1];
        cast(DType::Int32, DType::UInt8, bytemuck::cast_slice(&x), &mut out, &Pool::inline());
        assert_eq!(out, [44, 255]);
        let x: [f32; 2] = [300.7, -1.0];
        cast(DType::Fp32, DType::UInt8, bytemuck::cast_slice(&x), &mut out, &Pool::inline());
        assert_eq!(out, [255, 0]);
    }
}
