//! A dense array in its declared dtype: constants, inputs, outputs and state.

use crate::dtype::DType;
use crate::shape::{Shape, TensorType};
use bytes::Bytes;
use half::{bf16, f16};
use std::fmt;
use std::sync::Arc;

/// Why a tensor could not be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TensorError {
    /// The bytes are not as many as dtype and shape need.
    Bytes {
        /// Bytes needed.
        wanted: usize,
        /// Bytes given.
        got: usize,
    },
    /// The elements are not as many as the shape needs.
    Count {
        /// Elements needed.
        wanted: usize,
        /// Elements given.
        got: usize,
    },
    /// The number of elements, or of bytes, does not fit in memory.
    TooLarge,
    /// Strings were given for numbers or the reverse.
    Kind,
}

impl fmt::Display for TensorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TensorError::Bytes { wanted, got } => write!(f, "needs {wanted} bytes but has {got}"),
            TensorError::Count { wanted, got } => write!(f, "needs {wanted} elements but has {got}"),
            TensorError::TooLarge => f.write_str("is larger than memory can hold"),
            TensorError::Kind => f.write_str("mixes strings and numbers"),
        }
    }
}

impl std::error::Error for TensorError {}

#[derive(Clone)]
enum Data {
    Bytes(Bytes),
    Strings(Arc<[String]>),
}

/// A dense tensor: little-endian elements in row-major order, sub-byte types packed as one stream of bits, least
/// significant first (`facts/mil-blob-format.md` section 1). Clones share the data, which may be a mapped file.
#[derive(Clone)]
pub struct Tensor {
    dtype: DType,
    shape: Vec<usize>,
    data: Data,
}

impl Tensor {
    /// A tensor over existing bytes; their number must be exactly what dtype and shape need.
    pub fn from_bytes(dtype: DType, shape: &[usize], bytes: Bytes) -> Result<Tensor, TensorError> {
        let count = count(shape).ok_or(TensorError::TooLarge)?;
        if dtype == DType::String {
            return Err(TensorError::Kind);
        }
        let wanted = dtype.bytes_for(count).ok_or(TensorError::TooLarge)?;
        if bytes.len() != wanted {
            return Err(TensorError::Bytes { wanted, got: bytes.len() });
        }
        Ok(Tensor { dtype, shape: shape.to_vec(), data: Data::Bytes(bytes) })
    }

    /// A tensor of strings.
    pub fn from_strings(shape: &[usize], strings: Vec<String>) -> Result<Tensor, TensorError> {
        let wanted = count(shape).ok_or(TensorError::TooLarge)?;
        if strings.len() != wanted {
            return Err(TensorError::Count { wanted, got: strings.len() });
        }
        Ok(Tensor { dtype: DType::String, shape: shape.to_vec(), data: Data::Strings(strings.into()) })
    }

    /// A tensor of zeros (false, empty strings).
    pub fn zeros(dtype: DType, shape: &[usize]) -> Result<Tensor, TensorError> {
        let n = count(shape).ok_or(TensorError::TooLarge)?;
        if dtype == DType::String {
            return Tensor::from_strings(shape, vec![String::new(); n]);
        }
        let bytes = dtype.bytes_for(n).ok_or(TensorError::TooLarge)?;
        let mut data = Vec::new();
        data.try_reserve_exact(bytes).map_err(|_| TensorError::TooLarge)?;
        data.resize(bytes, 0);
        Tensor::from_bytes(dtype, shape, Bytes::from(data))
    }

    /// Elements converted from `f64` as a cast would: floats rounded to nearest even, integers truncated toward zero
    /// and saturated, bool is "not zero".
    pub fn from_f64(dtype: DType, shape: &[usize], values: &[f64]) -> Result<Tensor, TensorError> {
        let wanted = count(shape).ok_or(TensorError::TooLarge)?;
        if values.len() != wanted {
            return Err(TensorError::Count { wanted, got: values.len() });
        }
        let mut out = Vec::with_capacity(dtype.bytes_for(wanted).ok_or(TensorError::Kind)?);
        match dtype {
            DType::Bool => out.extend(values.iter().map(|&v| u8::from(v != 0.0))),
            DType::Fp16 => values.iter().for_each(|&v| out.extend(f16::from_f64(v).to_le_bytes())),
            DType::Bf16 => values.iter().for_each(|&v| out.extend(bf16::from_f64(v).to_le_bytes())),
            DType::Fp32 => values.iter().for_each(|&v| out.extend((v as f32).to_le_bytes())),
            DType::Fp64 => values.iter().for_each(|&v| out.extend(v.to_le_bytes())),
            DType::Fp8E4M3Fn => out.extend(values.iter().map(|&v| fp8::encode(v, fp8::E4M3FN))),
            DType::Fp8E5M2 => out.extend(values.iter().map(|&v| fp8::encode(v, fp8::E5M2))),
            DType::String => return Err(TensorError::Kind),
            _ => return Tensor::from_ints(dtype, shape, values.iter().map(|&v| v as i128)),
        }
        Tensor::from_bytes(dtype, shape, Bytes::from(out))
    }

    /// Elements from integers, saturated to what the dtype holds; floats are converted.
    pub fn from_i64(dtype: DType, shape: &[usize], values: &[i64]) -> Result<Tensor, TensorError> {
        if dtype.is_int() {
            return Tensor::from_ints(dtype, shape, values.iter().map(|&v| i128::from(v)));
        }
        Tensor::from_f64(dtype, shape, &values.iter().map(|&v| v as f64).collect::<Vec<_>>())
    }

    fn from_ints(
        dtype: DType,
        shape: &[usize],
        values: impl ExactSizeIterator<Item = i128>,
    ) -> Result<Tensor, TensorError> {
        let wanted = count(shape).ok_or(TensorError::TooLarge)?;
        if values.len() != wanted {
            return Err(TensorError::Count { wanted, got: values.len() });
        }
        let (low, high) = dtype.int_range().ok_or(TensorError::Kind)?;
        let bits = dtype.bits();
        let mut out = vec![0u8; dtype.bytes_for(wanted).ok_or(TensorError::TooLarge)?];
        for (i, v) in values.enumerate() {
            let v = v.clamp(low, high);
            if bits >= 8 {
                out[i * bits / 8..(i + 1) * bits / 8].copy_from_slice(&v.to_le_bytes()[..bits / 8]);
            } else {
                for b in 0..bits {
                    let at = i * bits + b;
                    out[at / 8] |= ((v >> b & 1) as u8) << (at % 8);
                }
            }
        }
        Tensor::from_bytes(dtype, shape, Bytes::from(out))
    }

    /// An fp32 tensor.
    pub fn from_f32(shape: &[usize], values: &[f32]) -> Result<Tensor, TensorError> {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Tensor::from_bytes(DType::Fp32, shape, Bytes::from(bytes))
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// The type with these known sizes.
    pub fn ty(&self) -> TensorType {
        TensorType::new(self.dtype, Shape::known(&self.shape))
    }

    /// The raw little-endian elements; empty for strings.
    pub fn bytes(&self) -> &[u8] {
        match &self.data {
            Data::Bytes(b) => b,
            Data::Strings(_) => &[],
        }
    }

    /// The raw elements as a shared buffer; empty for strings.
    pub fn shared_bytes(&self) -> Bytes {
        match &self.data {
            Data::Bytes(b) => b.clone(),
            Data::Strings(_) => Bytes::new(),
        }
    }

    /// The strings; empty for numbers.
    pub fn strings(&self) -> &[String] {
        match &self.data {
            Data::Strings(s) => s,
            Data::Bytes(_) => &[],
        }
    }

    /// The same elements in another shape of the same count.
    pub fn reshaped(&self, shape: &[usize]) -> Result<Tensor, TensorError> {
        match count(shape) {
            Some(n) if n == self.count() => {
                Ok(Tensor { dtype: self.dtype, shape: shape.to_vec(), data: self.data.clone() })
            }
            Some(n) => Err(TensorError::Count { wanted: n, got: self.count() }),
            None => Err(TensorError::TooLarge),
        }
    }

    /// Every element as `f64` (bool as 0 and 1; 64-bit integers round); empty for strings.
    pub fn to_f64(&self) -> Vec<f64> {
        let b = self.bytes();
        match self.dtype {
            DType::String => Vec::new(),
            DType::Fp16 => words(b).map(|w| f16::from_le_bytes(w).to_f64()).collect(),
            DType::Bf16 => words(b).map(|w| bf16::from_le_bytes(w).to_f64()).collect(),
            DType::Fp32 => words(b).map(|w| f64::from(f32::from_le_bytes(w))).collect(),
            DType::Fp64 => words(b).map(f64::from_le_bytes).collect(),
            DType::Fp8E4M3Fn => b.iter().map(|&v| fp8::decode(v, fp8::E4M3FN)).collect(),
            DType::Fp8E5M2 => b.iter().map(|&v| fp8::decode(v, fp8::E5M2)).collect(),
            DType::UInt64 => words(b).map(|w| u64::from_le_bytes(w) as f64).collect(),
            _ => self.to_i64().into_iter().map(|v| v as f64).collect(),
        }
    }

    /// Every element as `i64` (floats truncate, bool is 0 and 1, huge `uint64` saturate); empty for strings.
    pub fn to_i64(&self) -> Vec<i64> {
        let b = self.bytes();
        match self.dtype {
            DType::String => Vec::new(),
            DType::Bool | DType::UInt8 => b.iter().map(|&v| i64::from(v)).collect(),
            DType::Int8 => b.iter().map(|&v| i64::from(v as i8)).collect(),
            DType::Int16 => words(b).map(|w| i64::from(i16::from_le_bytes(w))).collect(),
            DType::UInt16 => words(b).map(|w| i64::from(u16::from_le_bytes(w))).collect(),
            DType::Int32 => words(b).map(|w| i64::from(i32::from_le_bytes(w))).collect(),
            DType::UInt32 => words(b).map(|w| i64::from(u32::from_le_bytes(w))).collect(),
            DType::Int64 => words(b).map(i64::from_le_bytes).collect(),
            DType::UInt64 => {
                words(b).map(|w| i64::try_from(u64::from_le_bytes(w)).unwrap_or(i64::MAX)).collect()
            }
            DType::Int4 | DType::UInt1 | DType::UInt2 | DType::UInt3 | DType::UInt4 | DType::UInt6 => {
                unpack(b, self.dtype, self.count())
            }
            _ => self.to_f64().into_iter().map(|v| v as i64).collect(),
        }
    }

    /// The only element of a one-element numeric tensor.
    pub fn item_f64(&self) -> Option<f64> {
        if self.count() != 1 { None } else { self.to_f64().first().copied() }
    }

    /// The only element of a one-element numeric tensor.
    pub fn item_i64(&self) -> Option<i64> {
        if self.count() != 1 { None } else { self.to_i64().first().copied() }
    }

    /// The only element of a one-element bool tensor.
    pub fn item_bool(&self) -> Option<bool> {
        if self.dtype == DType::Bool { self.item_i64().map(|v| v != 0) } else { None }
    }

    /// The only element of a one-element string tensor.
    pub fn item_str(&self) -> Option<&str> {
        match self.strings() {
            [one] => Some(one),
            _ => None,
        }
    }
}

impl PartialEq for Tensor {
    /// Same dtype, shape and bits.
    fn eq(&self, other: &Self) -> bool {
        self.dtype == other.dtype
            && self.shape == other.shape
            && self.bytes() == other.bytes()
            && self.strings() == other.strings()
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.ty())?;
        if self.dtype == DType::String {
            return f.debug_list().entries(self.strings().iter().take(8)).finish();
        }
        if self.count() <= 64 { f.debug_list().entries(self.to_f64()).finish() } else { f.write_str("[…]") }
    }
}

/// The product of the sizes, if it fits.
pub fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.chunks_exact(N).map(|c| c.try_into().expect("chunks_exact gives N bytes"))
}

fn unpack(bytes: &[u8], dtype: DType, count: usize) -> Vec<i64> {
    let bits = dtype.bits();
    let sign = if dtype.is_signed_int() { 1i64 << (bits - 1) } else { 0 };
    (0..count)
        .map(|i| {
            let at = i * bits;
            let low = u16::from(bytes[at / 8]);
            let high = bytes.get(at / 8 + 1).map_or(0, |&b| u16::from(b));
            let raw = i64::from((high << 8 | low) >> (at % 8) & ((1 << bits) - 1));
            (raw ^ sign) - sign
        })
        .collect()
}

/// Eight-bit floats, both formats of the OCP specification.
mod fp8 {
    /// Mantissa bits, exponent bias, has infinities.
    #[derive(Clone, Copy)]
    pub(super) struct Format {
        mantissa: u32,
        bias: i32,
        infinities: bool,
    }
    pub(super) const E4M3FN: Format = Format { mantissa: 3, bias: 7, infinities: false };
    pub(super) const E5M2: Format = Format { mantissa: 2, bias: 15, infinities: true };

    pub(super) fn decode(byte: u8, f: Format) -> f64 {
        let sign = if byte & 0x80 != 0 { -1.0 } else { 1.0 };
        let magnitude = u32::from(byte & 0x7f);
        let (exponent, fraction) = (magnitude >> f.mantissa, magnitude & ((1 << f.mantissa) - 1));
        let top = 0x7f >> f.mantissa;
        if f.infinities && exponent == top {
            return if fraction == 0 { sign * f64::INFINITY } else { f64::NAN };
        }
        if !f.infinities && magnitude == 0x7f {
            return f64::NAN;
        }
        let scale = 2f64.powi(exponent.max(1) as i32 - f.bias - f.mantissa as i32);
        let hidden = if exponent > 0 { 1 << f.mantissa } else { 0 };
        sign * f64::from(hidden + fraction) * scale
    }

    /// The nearest value, ties to even; beyond the largest finite value infinity, or NaN where there is none.
    pub(super) fn encode(value: f64, f: Format) -> u8 {
        let sign = if value.is_sign_negative() { 0x80 } else { 0 };
        if value.is_nan() {
            return sign | 0x7f;
        }
        let (mut low, mut high) = (0u8, if f.infinities { 0x7c } else { 0x7f });
        let limit = high;
        let magnitude = value.abs();
        let at = |code: u8| {
            if code == limit {
                let step = decode(code - 1, f) - decode(code - 2, f);
                decode(code - 1, f) + step
            } else {
                decode(code, f)
            }
        };
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if at(middle) <= magnitude { low = middle } else { high = middle }
        }
        let (below, above) = (magnitude - at(low), at(high) - magnitude);
        let up = above < below || (above == below && high.is_multiple_of(2)) || magnitude >= at(high);
        sign | if up { high } else { low }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_integers_match_the_blob_format_sheet() {
        let cases: &[(DType, &[i64], &[u8])] = &[
            (DType::UInt4, &[1, 2, 3], &[0x21, 0x03]),
            (DType::Int4, &[1, -1, -8, 7, 3], &[0xf1, 0x78, 0x03]),
            (DType::UInt3, &[0, 1, 2, 3, 4, 5, 6, 7, 1, 2], &[0x88, 0xc6, 0xfa, 0x11]),
            (DType::UInt6, &[1, 2, 3, 63, 33], &[0x81, 0x30, 0xfc, 0x21]),
            (DType::UInt1, &[1, 0, 0, 0, 0, 0, 0, 0, 1, 1], &[0x01, 0x03]),
            (DType::UInt2, &[1, 2, 3, 0, 3], &[0x39, 0x03]),
        ];
        for (dtype, values, bytes) in cases {
            let t = Tensor::from_i64(*dtype, &[values.len()], values).unwrap();
            assert_eq!(t.bytes(), *bytes, "{dtype}");
            assert_eq!(t.to_i64(), *values, "{dtype}");
        }
    }

    #[test]
    fn eight_bit_floats_round_trip_every_code() {
        for dtype in [DType::Fp8E4M3Fn, DType::Fp8E5M2] {
            for code in 0..=255u8 {
                let t = Tensor::from_bytes(dtype, &[1], Bytes::copy_from_slice(&[code])).unwrap();
                let v = t.to_f64()[0];
                if !v.is_nan() {
                    assert_eq!(Tensor::from_f64(dtype, &[1], &[v]).unwrap(), t, "{dtype} {code:#x} {v}");
                }
            }
        }
        assert_eq!(Tensor::from_f64(DType::Fp8E4M3Fn, &[1], &[448.0]).unwrap().bytes(), [0x7e]);
        assert!(Tensor::from_f64(DType::Fp8E4M3Fn, &[1], &[1e9]).unwrap().to_f64()[0].is_nan());
    }

    #[test]
    fn a_wrong_length_is_refused() {
        let error = Tensor::from_bytes(DType::Fp16, &[3], Bytes::from_static(&[0; 4])).unwrap_err();
        assert_eq!(error, TensorError::Bytes { wanted: 6, got: 4 });
        let error = Tensor::from_f64(DType::Fp16, &[3], &[0.0; 2]).unwrap_err();
        assert_eq!(error.to_string(), "needs 3 elements but has 2");
        assert!(Tensor::zeros(DType::Fp32, &[usize::MAX, 8]).is_err());
    }
}
