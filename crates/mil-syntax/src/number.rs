//! Numbers of a text to the bits of their type, rounded once, to nearest and ties to even.

use mil_base::DType;
use std::cmp::Ordering;

/// A float read from text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Float {
    /// The bits in the type's own width.
    pub(crate) bits: u64,
    /// The number is finite and the type's largest finite value is smaller.
    pub(crate) overflow: bool,
}

/// Sign and magnitude of an integer; `None` as magnitude means beyond 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Integer {
    pub(crate) negative: bool,
    pub(crate) magnitude: Option<u64>,
}

/// The layout of a binary float: explicit mantissa bits, exponent bits, and the bits of infinity (or what stands for it).
#[derive(Clone, Copy)]
struct Layout {
    mantissa: u32,
    exponent: u32,
    infinity: u64,
    nan: u64,
}

impl Layout {
    const fn ieee(mantissa: u32, exponent: u32) -> Layout {
        let infinity = ((1 << exponent) - 1) << mantissa;
        Layout { mantissa, exponent, infinity, nan: infinity | 1 << (mantissa - 1) }
    }

    fn of(dtype: DType) -> Option<Layout> {
        Some(match dtype {
            DType::Fp16 => Layout::ieee(10, 5),
            DType::Bf16 => Layout::ieee(7, 8),
            DType::Fp32 => Layout::ieee(23, 8),
            DType::Fp64 => Layout::ieee(52, 11),
            DType::Fp8E5M2 => Layout::ieee(2, 5),
            DType::Fp8E4M3Fn => Layout { mantissa: 3, exponent: 4, infinity: 0x7f, nan: 0x7f },
            _ => return None,
        })
    }

    fn sign_bit(self) -> u64 {
        1 << (self.mantissa + self.exponent)
    }
}

/// Reads an integer, `-?[0-9]+`.
pub(crate) fn integer(text: &[u8]) -> Option<Integer> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |n: u64, b: &u8| n.checked_mul(10)?.checked_add(u64::from(b - b'0'));
    Some(Integer { negative: digits.len() != text.len(), magnitude: digits.iter().try_fold(0, digit) })
}

/// Is `text` a number of any kind?
pub(crate) fn is_number(text: &[u8]) -> bool {
    integer(text).is_some() || float(text, DType::Fp64).is_some()
}

/// Reads a decimal, a hexadecimal float, `inf`, `-inf` or `nan` as `dtype`, which must be a float type.
pub(crate) fn float(text: &[u8], dtype: DType) -> Option<Float> {
    let layout = Layout::of(dtype)?;
    let (sign, unsigned) = match text {
        [b'-', rest @ ..] => (layout.sign_bit(), rest),
        _ => (0, text),
    };
    let magnitude = match unsigned {
        [b'0', b'x' | b'X', rest @ ..] => hexadecimal(rest, layout)?,
        b"inf" => Float { bits: layout.infinity, overflow: false },
        b"nan" => Float { bits: layout.nan, overflow: false },
        _ => decimal(unsigned, dtype, layout)?,
    };
    Some(Float { bits: magnitude.bits | sign, overflow: magnitude.overflow })
}

/// A decimal as `digits * 10^power`.
struct Decimal {
    digits: u64,
    power: i64,
    /// `digits` holds all of them; otherwise they were too many.
    whole: bool,
}

/// Reads `digits [. digits] [e [sign] digits]`, with a digit before the exponent.
fn scan_decimal(bytes: &[u8]) -> Option<Decimal> {
    let mut number = Decimal { digits: 0, power: 0, whole: true };
    let (mut at, mut count, mut fraction) = (0, 0usize, false);
    while let Some(&b) = bytes.get(at) {
        match b {
            b'0'..=b'9' => {
                number.whole &= number.digits < u64::MAX / 10;
                number.digits = number.digits.wrapping_mul(10).wrapping_add(u64::from(b - b'0'));
                number.power -= i64::from(fraction);
                count += 1;
            }
            b'.' if !fraction => fraction = true,
            _ => break,
        }
        at += 1;
    }
    if count == 0 {
        return None;
    }
    let Some([b'e' | b'E', exponent @ ..]) = bytes.get(at..).filter(|rest| !rest.is_empty()) else {
        return (at == bytes.len()).then_some(number);
    };
    number.power += signed(exponent)?;
    Some(number)
}

/// `[sign] digits`, at most a number beyond any float and small enough that sums cannot overflow.
fn signed(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64;
    for &b in digits {
        if !b.is_ascii_digit() {
            return None;
        }
        value = (value * 10 + i64::from(b - b'0')).min(1 << 40);
    }
    Some(if negative { -value } else { value })
}

fn decimal(bytes: &[u8], dtype: DType, layout: Layout) -> Option<Float> {
    let scanned = scan_decimal(bytes)?;
    let text = std::str::from_utf8(bytes).ok()?;
    let value = match exact(&scanned) {
        Some(value) => value,
        None => text.parse::<f64>().ok()?,
    };
    if value.is_infinite() {
        return Some(Float { bits: layout.infinity, overflow: true });
    }
    if dtype == DType::Fp64 {
        return Some(Float { bits: value.to_bits(), overflow: false });
    }
    let (mantissa, exponent) = split(value);
    Some(round(mantissa, exponent, layout, || compare(text, value)))
}

/// The nearest `f64` by one operation on two exact ones, where digits and power allow that; most literals do.
fn exact(number: &Decimal) -> Option<f64> {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18, 1e19, 1e20, 1e21, 1e22,
    ];
    if !number.whole || number.digits > 1 << 53 {
        return None;
    }
    let power = *POWERS.get(usize::try_from(number.power.unsigned_abs()).ok()?)?;
    let digits = number.digits as f64;
    Some(if number.power < 0 { digits / power } else { digits * power })
}

/// Mantissa and exponent of a finite value that is not negative: `mantissa * 2^exponent`.
fn split(value: f64) -> (u64, i64) {
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52) as i64, bits & ((1 << 52) - 1));
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

/// The value of each hexadecimal digit, and [`NO_DIGIT`] for other bytes.
const HEX: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let mut i = 0;
    while i < 16 {
        table[b"0123456789abcdef"[i] as usize] = i as u8;
        table[b"0123456789ABCDEF"[i] as usize] = i as u8;
        i += 1;
    }
    table
};
const NO_DIGIT: u8 = 0xff;

/// The digits of a hexadecimal mantissa: `mantissa * 16^scale`, plus something smaller than a unit if `sticky`.
#[derive(Default)]
struct Mantissa {
    mantissa: u64,
    scale: i64,
    sticky: bool,
}

impl Mantissa {
    /// Takes the digits at the start of `bytes`, each of which moves the point by `step`. Gives how many they are.
    fn take(&mut self, bytes: &[u8], step: i64) -> usize {
        let mut count = 0;
        while let Some(&b) = bytes.get(count) {
            let digit = HEX[b as usize];
            if digit == NO_DIGIT {
                break;
            }
            if self.mantissa >> 60 == 0 {
                self.mantissa = self.mantissa << 4 | u64::from(digit);
                self.scale += step;
            } else {
                self.sticky |= digit != 0;
                self.scale += step + 1;
            }
            count += 1;
        }
        count
    }
}

/// `digits [. digits] p [sign] digits`, after the `0x`.
fn hexadecimal(bytes: &[u8], layout: Layout) -> Option<Float> {
    let mut number = Mantissa::default();
    let whole = number.take(bytes, 0);
    let mut rest = &bytes[whole..];
    let mut digits = whole;
    if let [b'.', after @ ..] = rest {
        let fraction = number.take(after, -1);
        digits += fraction;
        rest = &after[fraction..];
    }
    let [b'p' | b'P', power @ ..] = rest else { return None };
    if digits == 0 {
        return None;
    }
    let exponent = number.scale * 4 + signed(power)?;
    let residual = || if number.sticky { Ordering::Greater } else { Ordering::Equal };
    Some(round(number.mantissa, exponent, layout, residual))
}

/// The nearest float to a number that is `mantissa * 2^exponent` or so close that only `residual`, the order of the number
/// itself and that product, can tell. It is asked only where the product is a tie.
fn round(mantissa: u64, exponent: i64, layout: Layout, residual: impl Fn() -> Ordering) -> Float {
    if mantissa == 0 {
        return Float { bits: 0, overflow: false };
    }
    let shift = mantissa.leading_zeros();
    let (mantissa, exponent) = (mantissa << shift, exponent - i64::from(shift));
    let bias = (1i64 << (layout.exponent - 1)) - 1;
    let leading = exponent + 63;
    let smallest = 1 - bias;
    if leading > bias + 1 {
        return Float { bits: layout.infinity, overflow: true };
    }
    let quantum = leading.max(smallest) - i64::from(layout.mantissa);
    let drop = quantum - exponent;
    if drop > 64 {
        return Float { bits: 0, overflow: false };
    }
    let (kept, dropped) =
        if drop == 64 { (0, mantissa) } else { (mantissa >> drop, mantissa << (64 - drop)) };
    let up = match dropped.cmp(&(1 << 63)) {
        Ordering::Equal => match residual() {
            Ordering::Equal => kept & 1 == 1,
            order => order == Ordering::Greater,
        },
        order => order == Ordering::Greater,
    };
    let kept = kept + u64::from(up);
    // A carry out of the mantissa moves into the exponent, which is what rounding up to a power of two means.
    let bits =
        if leading < smallest { kept } else { (((leading + bias - 1) as u64) << layout.mantissa) + kept };
    if bits >= layout.infinity {
        return Float { bits: layout.infinity, overflow: true };
    }
    Float { bits, overflow: false }
}

/// The order of an unsigned decimal text and a value it is close to, exactly.
fn compare(text: &str, value: f64) -> Ordering {
    let (literal, literal_point) = significant(text);
    let (mantissa, exponent) = split(value);
    let places = (-exponent - i64::from(mantissa.trailing_zeros())).max(0) as usize;
    let exact = format!("{value:.places$}");
    let (expansion, expansion_point) = significant(&exact);
    literal_point.cmp(&expansion_point).then_with(|| literal.cmp(&expansion))
}

/// The digits of a decimal without zeros at either end, and how many of them stand before the point.
fn significant(text: &str) -> (Vec<u8>, i64) {
    let (digits, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut point = whole.len() as i64 + power.parse::<i64>().unwrap_or(0);
    let mut all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let zeros = all.iter().take_while(|&&b| b == b'0').count();
    all.drain(..zeros);
    point -= zeros as i64;
    while all.last() == Some(&b'0') {
        all.pop();
    }
    if all.is_empty() { (all, 0) } else { (all, point) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::{Tensor, f16};

    fn fp16(text: &str) -> u16 {
        float(text.as_bytes(), DType::Fp16).unwrap().bits as u16
    }

    #[test]
    fn every_fp16_is_read_back_from_decimal_and_hex() {
        for bits in 0..=u16::MAX {
            let value = f16::from_bits(bits);
            if value.is_finite() {
                let (short, exact) = (format!("{}", value.to_f64()), format!("{:.40}", value.to_f64()));
                assert_eq!(fp16(&short), bits, "{short}");
                assert_eq!(fp16(&exact), bits, "{exact}");
            }
        }
    }

    #[test]
    fn a_decimal_is_rounded_once() {
        // 1 + 2^-11 lies between two fp16 values; what is added is lost on the way to f64.
        let tie = "1.00048828125";
        assert_eq!(fp16(tie), 0x3c00);
        assert_eq!(fp16(&format!("{tie}0000000000000000001")), 0x3c01);
        assert_eq!(fp16("1.00048828124999999999999999999"), 0x3c00);
        // The next tie has an odd neighbour below.
        assert_eq!(fp16("1.00146484375"), 0x3c02);
        assert_eq!(fp16("1.00146484374999999999999999999"), 0x3c01);
        assert_eq!(fp16("0.0100146484374999999999999999999e2"), 0x3c01);
    }

    #[test]
    fn decimals_agree_with_the_standard_library() {
        let mut random = 1u64;
        for i in 0..20_000u32 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let wide = f64::from_bits(random & !(1 << 63));
            let narrow = f32::from_bits((random >> 33) as u32);
            let power = i % 80;
            let texts = [
                format!("{narrow}"),
                format!("{narrow:e}"),
                format!("{wide:e}"),
                format!("{}.{}", random >> 50, random % 1000),
                format!("{}e-{power}", random >> 40),
                format!("{}e{power}", random),
                format!("{:.17}", random as f64 / u64::MAX as f64),
            ];
            for text in texts.iter().filter(|t| !t.contains("NaN") && !t.contains("inf")) {
                let (single, double): (f32, f64) = (text.parse().unwrap(), text.parse().unwrap());
                assert_eq!(
                    float(text.as_bytes(), DType::Fp32).unwrap().bits,
                    u64::from(single.to_bits()),
                    "{text}"
                );
                assert_eq!(float(text.as_bytes(), DType::Fp64).unwrap().bits, double.to_bits(), "{text}");
            }
        }
    }

    #[test]
    fn hexadecimal_follows_c99() {
        let cases: &[(&str, DType, u64)] = &[
            ("0x1p-24", DType::Fp16, 1),
            ("0x1p-25", DType::Fp16, 0),
            ("0x1.000000000000000001p-25", DType::Fp16, 1),
            ("-0x1.5p-17", DType::Fp16, 0x80a8),
            ("0x1.ffcp+15", DType::Fp16, 0x7bff),
            ("0x1.8p-149", DType::Fp32, 2),
            ("0x1.fffffffffffffp+1023", DType::Fp64, f64::MAX.to_bits()),
            ("0x1p-1074", DType::Fp64, 1),
            ("0x.8P1", DType::Fp32, 1f32.to_bits() as u64),
            ("0x10000000000000000000p-76", DType::Fp32, 1f32.to_bits() as u64),
            ("-inf", DType::Fp16, 0xfc00),
            ("0x1.cp+8", DType::Fp8E4M3Fn, 0x7e),
        ];
        for (text, dtype, bits) in cases {
            let got = float(text.as_bytes(), *dtype).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(got, Float { bits: *bits, overflow: false }, "{text}");
        }
        for text in ["0x", "0x1", "0x1p", "0xp1", "0x1.1.1p1", "1e", ".", "", "1f", "infinity", "--1", "1e+"]
        {
            assert_eq!(float(text.as_bytes(), DType::Fp32), None, "{text}");
        }
    }

    #[test]
    fn overflow_is_told() {
        for (text, dtype) in
            [("65520", DType::Fp16), ("1e39", DType::Fp32), ("1e400", DType::Fp64), ("0x1p+16", DType::Fp16)]
        {
            assert!(float(text.as_bytes(), dtype).unwrap().overflow, "{text}");
        }
        assert_eq!(float(b"65519.99", DType::Fp16), Some(Float { bits: 0x7bff, overflow: false }));
        assert!(float(b"480", DType::Fp8E4M3Fn).unwrap().overflow);
    }

    #[test]
    fn small_floats_agree_with_the_tensor_type() {
        for dtype in [DType::Fp16, DType::Bf16, DType::Fp8E4M3Fn, DType::Fp8E5M2, DType::Fp32] {
            for i in -3000..3000 {
                let value = f64::from(i) * 0.013 * 2f64.powi(i % 12);
                let tensor = Tensor::from_f64(dtype, &[1], &[value]).unwrap();
                let mut bits = [0; 8];
                bits[..tensor.bytes().len()].copy_from_slice(tensor.bytes());
                assert_eq!(
                    float(format!("{value}").as_bytes(), dtype).unwrap().bits,
                    u64::from_le_bytes(bits),
                    "{dtype} {value}"
                );
            }
        }
    }

    #[test]
    fn integers_of_any_length() {
        assert_eq!(integer(b"-12"), Some(Integer { negative: true, magnitude: Some(12) }));
        assert_eq!(integer(b"18446744073709551615").unwrap().magnitude, Some(u64::MAX));
        assert_eq!(integer(b"18446744073709551616").unwrap().magnitude, None);
        for text in ["", "-", "1.0", "0x1", "1e3"] {
            assert_eq!(integer(text.as_bytes()), None, "{text}");
        }
    }
}
