//! Immediate values and references to weight files: the protobuf's and the IR's.
//!
//! Which field holds the elements depends on the type (`facts/mil-blob-format.md` section 2). Integers of up to 32 bits
//! are read from `ints` and from `bytes`, because coremltools is moving some from the one to the other.

use super::proto::{self, TensorValue, tensor_value as tv, value};
use super::types;
use crate::codes;
use bytes::Bytes;
use mil_base::{Arena, DType, Diagnostic, Tensor, TensorError, TensorType, Type};
use mil_ir::{Blob, Constant, Payload};
use value::immediate_value::Value as Immediate;

/// The constant that a protobuf value stands for; blobs are added to `blobs`, their data not looked at.
///
/// Errors: those of types, `package/missing-value`, `package/value-kind`, `package/value-count`, `package/value-range`.
pub(super) fn read(value: &proto::Value, blobs: &mut Arena<Blob>) -> Result<Constant, Diagnostic> {
    let ty = types::read(value.r#type.as_ref())?;
    let payload = payload(value, &ty, blobs)?;
    Ok(Constant { ty, payload })
}

fn payload(value: &proto::Value, ty: &Type, blobs: &mut Arena<Blob>) -> Result<Payload, Diagnostic> {
    let missing =
        || Diagnostic::error(codes::PACKAGE_MISSING_VALUE, format!("a constant of type {ty} has no value"));
    let kind = || {
        Diagnostic::error(codes::PACKAGE_VALUE_KIND, format!("a constant's value is not of its type {ty}"))
    };
    let immediate = match value.value.as_ref().ok_or_else(missing)? {
        value::Value::BlobFileValue(blob) => {
            if ty.as_tensor().is_none() {
                return Err(kind());
            }
            let path = blob.file_name.as_str().into();
            return Ok(Payload::Blob(blobs.push(Blob { path, offset: blob.offset, data: None })));
        }
        value::Value::ImmediateValue(i) => i.value.as_ref().ok_or_else(missing)?,
    };
    let mut inner = |v: &proto::Value, outer: &Type| {
        let own = if v.r#type.is_some() { types::read(v.r#type.as_ref())? } else { outer.clone() };
        payload(v, &own, blobs)
    };
    match (immediate, ty) {
        (Immediate::Tensor(v), Type::Tensor(t)) => tensor(v, t).map(Payload::Tensor),
        (Immediate::List(v), Type::List(t, _)) => {
            Ok(Payload::List(v.values.iter().map(|v| inner(v, t)).collect::<Result<_, _>>()?))
        }
        (Immediate::Tuple(v), Type::Tuple(ts)) if v.values.len() == ts.len() => {
            Ok(Payload::Tuple(v.values.iter().zip(ts).map(|(v, t)| inner(v, t)).collect::<Result<_, _>>()?))
        }
        (Immediate::Dictionary(v), Type::Dict(kt, vt)) => {
            let mut pairs = Vec::with_capacity(v.values.len());
            for pair in &v.values {
                let (Some(key), Some(value)) = (&pair.key, &pair.value) else { return Err(missing()) };
                pairs.push((inner(key, kt)?, inner(value, vt)?));
            }
            Ok(Payload::Dict(pairs))
        }
        _ => Err(kind()),
    }
}

/// The tensor that a protobuf tensor value of this type stands for.
fn tensor(value: &TensorValue, ty: &TensorType) -> Result<Tensor, Diagnostic> {
    use tv::Value as V;
    let dtype = ty.dtype;
    let count = match &value.value {
        None => 0,
        Some(V::Floats(v)) => v.values.len(),
        Some(V::Ints(v)) => v.values.len(),
        Some(V::Bools(v)) => v.values.len(),
        Some(V::Strings(v)) => v.values.len(),
        Some(V::LongInts(v)) => v.values.len(),
        Some(V::Doubles(v)) => v.values.len(),
        Some(V::Bytes(v)) => elements_in(v.values.len(), ty),
    };
    let shape = sizes(ty, count)?;
    let made = match &value.value {
        None if dtype == DType::String => Tensor::from_strings(&shape, Vec::new()),
        None => Tensor::from_bytes(dtype, &shape, Bytes::new()),
        Some(V::Strings(v)) if dtype == DType::String => Tensor::from_strings(&shape, v.values.clone()),
        Some(V::Bools(v)) if dtype == DType::Bool => {
            Tensor::from_bytes(dtype, &shape, v.values.iter().map(|&b| u8::from(b)).collect())
        }
        Some(V::Floats(v)) if dtype == DType::Fp32 => Tensor::from_f32(&shape, &v.values),
        Some(V::Floats(v)) if dtype.is_float() => {
            Tensor::from_f64(dtype, &shape, &v.values.iter().map(|&f| f64::from(f)).collect::<Vec<_>>())
        }
        Some(V::Doubles(v)) if dtype == DType::Fp64 => Tensor::from_f64(dtype, &shape, &v.values),
        Some(V::Ints(v)) if dtype.is_int() || dtype == DType::Bool => {
            integers(dtype, &shape, v.values.iter().map(|&i| i64::from(i)))?
        }
        // A `uint64` is stored as the `int64` with the same bits.
        Some(V::LongInts(v)) if dtype == DType::UInt64 => {
            Tensor::from_bytes(dtype, &shape, v.values.iter().flat_map(|i| i.to_le_bytes()).collect())
        }
        Some(V::LongInts(v)) if dtype.is_int() => integers(dtype, &shape, v.values.iter().copied())?,
        Some(V::Bytes(v)) if dtype == DType::Bool && v.values.iter().any(|&b| b > 1) => {
            return Err(Diagnostic::error(codes::PACKAGE_VALUE_RANGE, "a bool is neither 0 nor 1"));
        }
        Some(V::Bytes(v)) if dtype != DType::String => Tensor::from_bytes(dtype, &shape, v.values.clone()),
        Some(_) => {
            return Err(Diagnostic::error(
                codes::PACKAGE_VALUE_KIND,
                format!("the elements of a constant of type {ty} are stored as another type"),
            ));
        }
    };
    made.map_err(|error| match error {
        TensorError::Bytes { .. } | TensorError::Count { .. } => wrong_count(ty, count),
        error => Diagnostic::error(codes::PACKAGE_VALUE_COUNT, format!("a constant of type {ty} {error}")),
    })
}

/// Integers that must fit `dtype`.
fn integers(
    dtype: DType,
    shape: &[usize],
    values: impl Iterator<Item = i64> + Clone,
) -> Result<Result<Tensor, TensorError>, Diagnostic> {
    let (low, high) = dtype.int_range().unwrap_or((0, 1));
    if let Some(v) = values.clone().find(|&v| !(low..=high).contains(&i128::from(v))) {
        return Err(Diagnostic::error(codes::PACKAGE_VALUE_RANGE, format!("{v} does not fit {dtype}")));
    }
    Ok(Tensor::from_i64(dtype, shape, &values.collect::<Vec<_>>()))
}

/// How many elements `bytes` bytes hold, taking a packed type's count from its shape.
fn elements_in(bytes: usize, ty: &TensorType) -> usize {
    match ty.dtype.size() {
        Some(size) => bytes / size,
        None => ty.shape.count().filter(|&n| ty.dtype.bytes_for(n) == Some(bytes)).unwrap_or(bytes),
    }
}

/// The sizes of a constant that has `count` elements: those declared, one unknown one found from the count.
fn sizes(ty: &TensorType, count: usize) -> Result<Vec<usize>, Diagnostic> {
    let known = ty.shape.iter().filter_map(|d| d.known()).try_fold(1usize, usize::checked_mul);
    let unknown = ty.shape.iter().filter(|d| d.known().is_none()).count();
    let missing = match (known, unknown) {
        (Some(n), 0) if n == count => 1,
        (Some(n), 1) if n > 0 && count.is_multiple_of(n) => count / n,
        _ => return Err(wrong_count(ty, count)),
    };
    Ok(ty.shape.iter().map(|d| d.known().unwrap_or(missing)).collect())
}

fn wrong_count(ty: &TensorType, count: usize) -> Diagnostic {
    Diagnostic::error(codes::PACKAGE_VALUE_COUNT, format!("a constant of type {ty} has {count} elements"))
}

/// The protobuf value of a constant; its blobs are where `blobs` says.
pub(super) fn write(constant: &Constant, blobs: &Arena<Blob>) -> proto::Value {
    write_payload(&constant.ty, &constant.payload, blobs)
}

fn write_payload(ty: &Type, payload: &Payload, blobs: &Arena<Blob>) -> proto::Value {
    use value::{BlobFileValue, ImmediateValue, Value as V};
    let nested = |t: &Type, p: &Payload| write_payload(t, p, blobs);
    let immediate = match (payload, ty) {
        (Payload::Blob(id), _) => {
            let (path, offset) = blobs.get(*id).map_or(("", 0), |b| (&b.path, b.offset));
            let blob = BlobFileValue { file_name: path.to_owned(), offset };
            let value = Some(V::BlobFileValue(blob));
            return proto::Value { r#type: Some(types::write(ty)), value, ..Default::default() };
        }
        (Payload::Tensor(tensor), _) => Immediate::Tensor(elements(tensor)),
        (Payload::List(items), Type::List(t, _)) => {
            Immediate::List(proto::ListValue { values: items.iter().map(|i| nested(t, i)).collect() })
        }
        (Payload::Tuple(items), Type::Tuple(ts)) => {
            let values = items.iter().zip(ts).map(|(i, t)| nested(t, i)).collect();
            Immediate::Tuple(proto::TupleValue { values })
        }
        (Payload::Dict(pairs), Type::Dict(kt, vt)) => {
            let pair = |k, v| proto::dictionary_value::KeyValuePair {
                key: Some(nested(kt, k)),
                value: Some(nested(vt, v)),
            };
            let values = pairs.iter().map(|(k, v)| pair(k, v)).collect();
            Immediate::Dictionary(proto::DictionaryValue { values })
        }
        // The payload is not of its type: the value stays empty, and readers refuse it by name.
        _ => Immediate::Tensor(TensorValue::default()),
    };
    // A tensor knows its sizes even where the type around it leaves them open.
    let ty = match payload {
        Payload::Tensor(t) if ty.as_tensor().is_some() => types::write(&Type::Tensor(t.ty())),
        _ => types::write(ty),
    };
    let value = Some(V::ImmediateValue(ImmediateValue { value: Some(immediate) }));
    proto::Value { r#type: Some(ty), value, ..Default::default() }
}

/// The protobuf tensor value with these elements, in the field coremltools uses for the type.
fn elements(tensor: &Tensor) -> TensorValue {
    use tv::Value as V;
    let ints = || tensor.to_i64();
    let value = match tensor.dtype() {
        DType::Bool => V::Bools(tv::RepeatedBools { values: ints().iter().map(|&v| v != 0).collect() }),
        DType::String => V::Strings(tv::RepeatedStrings { values: tensor.strings().to_vec() }),
        DType::Fp32 => {
            let words = tensor.bytes().chunks_exact(4).map(|c| c.try_into().expect("four bytes"));
            V::Floats(tv::RepeatedFloats { values: words.map(f32::from_le_bytes).collect() })
        }
        DType::Fp64 => V::Doubles(tv::RepeatedDoubles { values: tensor.to_f64() }),
        DType::Int32 | DType::Int16 | DType::UInt16 => {
            V::Ints(tv::RepeatedInts { values: ints().iter().map(|&v| v as i32).collect() })
        }
        DType::Int64 | DType::UInt64 => {
            let words = tensor.bytes().chunks_exact(8).map(|c| c.try_into().expect("eight bytes"));
            V::LongInts(tv::RepeatedLongInts { values: words.map(i64::from_le_bytes).collect() })
        }
        _ => V::Bytes(tv::RepeatedBytes { values: tensor.shared_bytes() }),
    };
    TensorValue { value: Some(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::{Dim, Shape};

    fn round_trip(constant: &Constant) -> Constant {
        read(&write(constant, &Arena::new()), &mut Arena::new()).unwrap()
    }

    #[test]
    fn every_dtype_comes_back() {
        for &dtype in DType::ALL {
            let tensor = if dtype == DType::String {
                Tensor::from_strings(&[2], vec!["a".into(), "é".into()]).unwrap()
            } else {
                Tensor::from_i64(dtype, &[2, 3], &[1, 0, -1, 1, 1, 0]).unwrap()
            };
            let constant = Constant::tensor(tensor);
            assert_eq!(round_trip(&constant), constant, "{dtype}");
            let empty = Constant::tensor(Tensor::zeros(dtype, &[0]).unwrap());
            assert_eq!(round_trip(&empty), empty, "{dtype}");
        }
    }

    #[test]
    fn small_integers_are_read_from_both_spellings() {
        let ty = TensorType::new(DType::UInt16, Shape::known(&[2]));
        let bytes = tv::RepeatedBytes { values: Bytes::from_static(&[1, 0, 255, 255]) };
        let bytes = TensorValue { value: Some(tv::Value::Bytes(bytes)) };
        let ints = TensorValue { value: Some(tv::Value::Ints(tv::RepeatedInts { values: vec![1, 65535] })) };
        assert_eq!(tensor(&bytes, &ty).unwrap(), tensor(&ints, &ty).unwrap());
    }

    #[test]
    fn elements_that_do_not_fit_are_refused() {
        let ints = |values: &[i32]| TensorValue {
            value: Some(tv::Value::Ints(tv::RepeatedInts { values: values.to_vec() })),
        };
        let code = |v: &TensorValue, dtype, shape: &[Dim]| {
            tensor(v, &TensorType::new(dtype, Shape(shape.to_vec()))).unwrap_err().code
        };
        let two = [Dim::Known(2)];
        assert_eq!(code(&ints(&[]), DType::Int32, &two), "package/value-count");
        assert_eq!(code(&ints(&[1, 2, 3]), DType::Int32, &two), "package/value-count");
        assert_eq!(code(&ints(&[1, 256]), DType::UInt8, &two), "package/value-range");
        assert_eq!(code(&ints(&[1, 2]), DType::Fp32, &two), "package/value-kind");
        assert_eq!(code(&TensorValue::default(), DType::Int32, &two), "package/value-count");
        assert_eq!(
            code(&ints(&[]), DType::Int32, &[Dim::Known(usize::MAX), Dim::Known(9)]),
            "package/value-count"
        );
    }
}
