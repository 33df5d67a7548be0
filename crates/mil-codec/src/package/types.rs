//! Types: the protobuf's and the IR's.

use super::proto::{self, dimension, value_type};
use crate::codes;
use mil_base::{DType, Diagnostic, Dim, Shape, Type};

/// More dimensions than any op takes; bounds what a wrong `rank` can make us allocate.
const MAX_RANK: i64 = 64;

/// The protobuf's numbers for scalar types (`facts/mil-blob-format.md` section 2).
const NUMBERS: &[(DType, i32)] = &[
    (DType::Bool, 1),
    (DType::String, 2),
    (DType::Fp16, 10),
    (DType::Fp32, 11),
    (DType::Fp64, 12),
    (DType::Bf16, 13),
    (DType::Int8, 21),
    (DType::Int16, 22),
    (DType::Int32, 23),
    (DType::Int64, 24),
    (DType::Int4, 25),
    (DType::UInt8, 31),
    (DType::UInt16, 32),
    (DType::UInt32, 33),
    (DType::UInt64, 34),
    (DType::UInt4, 35),
    (DType::UInt2, 36),
    (DType::UInt1, 37),
    (DType::UInt6, 38),
    (DType::UInt3, 39),
    (DType::Fp8E4M3Fn, 40),
    (DType::Fp8E5M2, 41),
];

/// The IR type of a protobuf type.
///
/// Errors: `package/missing-type`, `package/unknown-dtype`, `package/rank-too-high`. Recursion is bounded by the decoder's.
pub(super) fn read(ty: Option<&proto::ValueType>) -> Result<Type, Diagnostic> {
    use value_type::Type as T;
    let missing = || Diagnostic::error(codes::PACKAGE_MISSING_TYPE, "a value has no type");
    match ty.and_then(|t| t.r#type.as_ref()).ok_or_else(missing)? {
        T::TensorType(t) => tensor(t),
        T::ListType(t) => {
            Ok(Type::List(Box::new(read(t.r#type.as_deref())?), t.length.as_ref().map_or(Dim::Unknown, dim)))
        }
        T::TupleType(t) => Ok(Type::Tuple(t.types.iter().map(|t| read(Some(t))).collect::<Result<_, _>>()?)),
        T::DictionaryType(t) => {
            Ok(Type::Dict(Box::new(read(t.key_type.as_deref())?), Box::new(read(t.value_type.as_deref())?)))
        }
        T::StateType(t) => Ok(Type::State(Box::new(read(t.wrapped_type.as_deref())?))),
    }
}

fn tensor(t: &proto::TensorType) -> Result<Type, Diagnostic> {
    let dtype = NUMBERS.iter().find(|(_, n)| *n == t.data_type).map(|(d, _)| *d).ok_or_else(|| {
        Diagnostic::error(codes::PACKAGE_UNKNOWN_DTYPE, format!("{} is no scalar type", t.data_type))
    })?;
    let variadic =
        |d: &proto::Dimension| matches!(&d.dimension, Some(dimension::Dimension::Unknown(u)) if u.variadic);
    if t.rank < 0 || t.dimensions.iter().any(variadic) {
        return Ok(Type::Unranked(dtype));
    }
    if t.rank > MAX_RANK {
        let message = format!("a tensor has {} dimensions", t.rank);
        return Err(Diagnostic::error(codes::PACKAGE_RANK_TOO_HIGH, message)
            .help(format!("no op takes more than a few; Milwright reads up to {MAX_RANK}")));
    }
    let shape = if t.dimensions.is_empty() {
        vec![Dim::Unknown; t.rank as usize]
    } else {
        t.dimensions.iter().map(dim).collect()
    };
    Ok(Type::tensor(dtype, Shape(shape)))
}

fn dim(d: &proto::Dimension) -> Dim {
    match &d.dimension {
        Some(dimension::Dimension::Constant(c)) => usize::try_from(c.size).map_or(Dim::Unknown, Dim::Known),
        _ => Dim::Unknown,
    }
}

/// The protobuf type of an IR type.
pub(super) fn write(ty: &Type) -> proto::ValueType {
    use value_type::Type as T;
    let boxed = |t: &Type| Some(Box::new(write(t)));
    let ty = match ty {
        Type::Tensor(t) => T::TensorType(proto::TensorType {
            data_type: NUMBERS.iter().find(|(d, _)| *d == t.dtype).map_or(0, |(_, n)| *n),
            rank: t.shape.rank() as i64,
            dimensions: t.shape.iter().map(|d| write_dim(*d)).collect(),
            attributes: Default::default(),
        }),
        Type::Unranked(dtype) => T::TensorType(proto::TensorType {
            data_type: NUMBERS.iter().find(|(d, _)| d == dtype).map_or(0, |(_, n)| *n),
            rank: -1,
            dimensions: vec![proto::Dimension {
                dimension: Some(dimension::Dimension::Unknown(dimension::UnknownDimension {
                    variadic: true,
                })),
            }],
            attributes: Default::default(),
        }),
        Type::List(t, n) => {
            T::ListType(Box::new(proto::ListType { r#type: boxed(t), length: Some(write_dim(*n)) }))
        }
        Type::Tuple(ts) => T::TupleType(proto::TupleType { types: ts.iter().map(write).collect() }),
        Type::Dict(k, v) => {
            T::DictionaryType(Box::new(proto::DictionaryType { key_type: boxed(k), value_type: boxed(v) }))
        }
        Type::State(t) => T::StateType(Box::new(proto::StateType { wrapped_type: boxed(t) })),
    };
    proto::ValueType { r#type: Some(ty) }
}

fn write_dim(d: Dim) -> proto::Dimension {
    use dimension::{ConstantDimension, Dimension, UnknownDimension};
    let dimension = match d {
        Dim::Known(n) => Dimension::Constant(ConstantDimension { size: n as u64 }),
        _ => Dimension::Unknown(UnknownDimension { variadic: false }),
    };
    proto::Dimension { dimension: Some(dimension) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back() {
        for &dtype in DType::ALL {
            let tensor = Type::tensor(dtype, Shape(vec![Dim::Known(2), Dim::Unknown]));
            let ty = Type::Dict(
                Box::new(Type::scalar(DType::String)),
                Box::new(Type::List(
                    Box::new(Type::Tuple(vec![
                        tensor.clone(),
                        Type::State(Box::new(tensor)),
                        Type::Unranked(dtype),
                    ])),
                    Dim::Unknown,
                )),
            );
            assert_eq!(read(Some(&write(&ty))).unwrap(), ty);
        }
    }
}
