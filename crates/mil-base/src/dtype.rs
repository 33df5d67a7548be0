//! The scalar types of MIL, and sets of them.
//!
//! Spellings follow `facts/mil-text-grammar.md` section 2; blob and protobuf numbers live in the codec.

use std::fmt;

macro_rules! dtypes {
    ($($variant:ident $text:literal $bits:literal $doc:literal),* $(,)?) => {
        /// A MIL scalar type.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum DType { $(#[doc = $doc] $variant),* }

        impl DType {
            /// Every scalar type, in declaration order.
            pub const ALL: &'static [DType] = &[$(DType::$variant),*];

            /// The spelling in MIL text, `fp16`.
            pub const fn name(self) -> &'static str {
                match self { $(DType::$variant => $text),* }
            }

            /// Bits one element takes when stored; 0 for strings.
            pub const fn bits(self) -> usize {
                match self { $(DType::$variant => $bits),* }
            }

            /// The type spelled `text` in MIL text.
            pub fn parse(text: &str) -> Option<DType> {
                match text { $($text => Some(DType::$variant),)* _ => None }
            }
        }
    };
}

dtypes! {
    Bool "bool" 8 "True or false; one byte an element in memory.",
    String "string" 0 "UTF-8 text.",
    Fp16 "fp16" 16 "IEEE binary16.",
    Fp32 "fp32" 32 "IEEE binary32.",
    Fp64 "fp64" 64 "IEEE binary64.",
    Bf16 "bf16" 16 "The upper half of a binary32.",
    Int4 "int4" 4 "Two's complement, packed.",
    Int8 "int8" 8 "Signed byte.",
    Int16 "int16" 16 "Signed 16-bit integer.",
    Int32 "int32" 32 "Signed 32-bit integer.",
    Int64 "int64" 64 "Signed 64-bit integer.",
    UInt1 "uint1" 1 "One bit, packed.",
    UInt2 "uint2" 2 "Two bits, packed.",
    UInt3 "uint3" 3 "Three bits, packed across byte borders.",
    UInt4 "uint4" 4 "Four bits, packed.",
    UInt6 "uint6" 6 "Six bits, packed across byte borders.",
    UInt8 "uint8" 8 "Unsigned byte.",
    UInt16 "uint16" 16 "Unsigned 16-bit integer.",
    UInt32 "uint32" 32 "Unsigned 32-bit integer.",
    UInt64 "uint64" 64 "Unsigned 64-bit integer.",
    Fp8E4M3Fn "fp8e4m3fn" 8 "Eight-bit float, 4 exponent bits, no infinities.",
    Fp8E5M2 "fp8e5m2" 8 "Eight-bit float, 5 exponent bits.",
}

impl DType {
    /// Any floating-point type.
    pub const fn is_float(self) -> bool {
        matches!(
            self,
            DType::Fp16 | DType::Fp32 | DType::Fp64 | DType::Bf16 | DType::Fp8E4M3Fn | DType::Fp8E5M2
        )
    }

    /// Any integer type (not bool).
    pub const fn is_int(self) -> bool {
        !self.is_float() && !matches!(self, DType::Bool | DType::String)
    }

    /// An integer type with negative values.
    pub const fn is_signed_int(self) -> bool {
        matches!(self, DType::Int4 | DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64)
    }

    /// Smaller than a byte and therefore packed.
    pub const fn is_packed(self) -> bool {
        matches!(self, DType::Int4 | DType::UInt1 | DType::UInt2 | DType::UInt3 | DType::UInt4 | DType::UInt6)
    }

    /// Bytes of one element; `None` for strings and packed types.
    pub const fn size(self) -> Option<usize> {
        if self.is_packed() || matches!(self, DType::String) { None } else { Some(self.bits() / 8) }
    }

    /// Bytes that `count` elements take, packed types rounded up to a byte; `None` on overflow or for strings.
    pub fn bytes_for(self, count: usize) -> Option<usize> {
        if self == DType::String {
            return None;
        }
        Some(count.checked_mul(self.bits())?.div_ceil(8))
    }

    /// Lowest and highest value of an integer type.
    pub fn int_range(self) -> Option<(i128, i128)> {
        if !self.is_int() {
            return None;
        }
        let bits = self.bits() as u32;
        Some(if self.is_signed_int() {
            (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
        } else {
            (0, (1i128 << bits) - 1)
        })
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of scalar types, as an op's signature states it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DTypes(u32);

impl DTypes {
    /// The set of the types listed.
    pub const fn of(list: &[DType]) -> DTypes {
        let (mut bits, mut i) = (0, 0);
        while i < list.len() {
            bits |= 1 << list[i] as u32;
            i += 1;
        }
        DTypes(bits)
    }

    /// Every type there is.
    pub const fn any() -> DTypes {
        DTypes::of(DType::ALL)
    }

    /// Is `dtype` in the set?
    pub const fn contains(self, dtype: DType) -> bool {
        self.0 & (1 << dtype as u32) != 0
    }

    /// The members, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = DType> {
        DType::ALL.iter().copied().filter(move |&d| self.contains(d))
    }
}

impl fmt::Display for DTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, dtype) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(dtype.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for DTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}
