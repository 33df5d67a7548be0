//! Floats as Apple's compiler writes them: C99 hexadecimal, normalised, without trailing zeros.

use std::fmt::Write;

/// Appends `value`, `0x1.8p-3`. Every float of MIL is exactly an `f64`, so subnormals of narrower types come out
/// normalised (`facts/mil-text-grammar.md` section 1).
pub(super) fn write_float(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("nan");
        return;
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    if value.is_infinite() {
        out.push_str("inf");
        return;
    }
    let bits = value.to_bits();
    let (biased, mut fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    if biased == 0 && fraction == 0 {
        out.push_str("0x0p+0");
        return;
    }
    let mut exponent = biased - 1023;
    if biased == 0 {
        let shift = fraction.leading_zeros() - 11;
        fraction = fraction << shift & ((1 << 52) - 1);
        exponent = -1022 - shift as i32;
    }
    out.push_str("0x1");
    if fraction != 0 {
        out.push('.');
        let mut rest = fraction << 12;
        while rest != 0 {
            out.push(char::from_digit((rest >> 60) as u32, 16).unwrap_or('0'));
            rest <<= 4;
        }
    }
    let _ = write!(out, "p{exponent:+}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn floats_are_written_as_c99_does() {
        let cases: &[(f64, &str)] = &[
            (0.0, "0x0p+0"),
            (-0.0, "-0x0p+0"),
            (1.0, "0x1p+0"),
            (-1.5, "-0x1.8p+0"),
            (0.1, "0x1.999999999999ap-4"),
            (f64::from(0.1f32), "0x1.99999ap-4"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (2f64.powi(-24), "0x1p-24"),
            (5e-324, "0x1p-1074"),
            (2.225_073_858_507_201e-308, "0x1.ffffffffffffep-1023"),
            (f64::MAX, "0x1.fffffffffffffp+1023"),
        ];
        for (value, text) in cases {
            let mut out = String::new();
            super::write_float(&mut out, *value);
            assert_eq!(out, *text);
        }
    }
}
