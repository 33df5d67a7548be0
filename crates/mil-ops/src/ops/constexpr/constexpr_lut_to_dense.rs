//! `constexpr_lut_to_dense`: weights as indices into look-up tables.

use super::lut::{Slugs, expanded, look_up, looked_up, stated};
use crate::contract::*;
use crate::support::index::*;
use mil_base::{DType, DTypes, Opset, Tensor, Type};

/// The card of `constexpr_lut_to_dense`.
pub static CONSTEXPR_LUT_TO_DENSE: OpDef = OpDef {
    name: "constexpr_lut_to_dense",
    doc: Doc::page(include_str!("constexpr_lut_to_dense.md")),
    versions: &[
        Version::new(
            Opset::Ios16,
            &[
                Param::constant("indices", DTypes::of(&[DType::UInt8])),
                Param::constant("lut", VALUES).group("T"),
                Param::constant("shape", DTypes::of(&[DType::UInt32])),
            ],
        ),
        Version::new(
            Opset::Ios18,
            &[
                Param::constant("indices", INDICES).group("IndicesT"),
                Param::constant("lut", VALUES).group("T"),
                Param::constant("vector_axis", sets::INT32).or(Default::Absent),
            ],
        ),
    ],
    constraints: &[
        Constraint {
            slug: "constexpr_lut_to_dense/table",
            rule: "before iOS 18 lut is a vector of 2, 4, 16, 64 or 256 entries; from then on it has the dimensions of indices, the number \
                   of entries (2 to the power of the bits of an index) and the length of an entry",
        },
        Constraint {
            slug: "constexpr_lut_to_dense/packed-size",
            rule: "before iOS 18 indices is a vector of as many bytes as the packed indices of shape take",
        },
        Constraint {
            slug: "constexpr_lut_to_dense/tables-divide",
            rule: "the number of tables along a dimension is a factor of its size",
        },
        Constraint {
            slug: "constexpr_lut_to_dense/vector-axis",
            rule: "vector_axis is in -rank..rank; it is stated where entries have more than one element",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::None("its arguments are constants"),
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

/// Types of indices.
pub(super) const INDICES: DTypes =
    DTypes::of(&[DType::UInt1, DType::UInt2, DType::UInt3, DType::UInt4, DType::UInt6, DType::UInt8]);
/// Types of the entries of tables.
pub(super) const VALUES: DTypes = DTypes::of(&[DType::Fp16, DType::Fp32, DType::Int8, DType::UInt8]);

const SLUGS: Slugs = Slugs {
    table: "constexpr_lut_to_dense/table",
    blocks: "constexpr_lut_to_dense/tables-divide",
    vector: "constexpr_lut_to_dense/vector-axis",
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (indices, lut) = (cx.need("indices")?, cx.need("lut")?);
    if cx.version.since >= Opset::Ios18 {
        let (shape, _) = expanded(cx, &SLUGS, &indices.shape, indices.dtype, lut)?;
        return cx.one(lut.dtype, shape);
    }
    let shape = cx.need_ints("shape")?;
    let entries = lut.shape.count().unwrap_or(0);
    let Some(bits) = index_dtype(entries).filter(|_| lut.shape.rank() == 1) else {
        let message = format!("`lut` is {}", lut.shape);
        return Err(cx.refuse(SLUGS.table, "lut", message, "give a vector of 2, 4, 16, 64 or 256 entries"));
    };
    let Some(shape) = stated(&shape) else { return Err(cx.unknown("shape")) };
    let bytes = shape.count().and_then(|n| bits.bytes_for(n));
    if indices.shape.rank() != 1 || bytes.is_none_or(|n| !indices.shape[0].may_equal(n.into())) {
        let message =
            format!("`indices` is {} but {shape} indices of {} bits are wanted", indices.shape, bits.bits());
        let help = "pack the indices one after another, lowest bits first";
        return Err(cx.refuse("constexpr_lut_to_dense/packed-size", "indices", message, help));
    }
    cx.one(lut.dtype, shape)
}

/// The type of indices into so many entries.
fn index_dtype(entries: usize) -> Option<DType> {
    Some(match entries {
        2 => DType::UInt1,
        4 => DType::UInt2,
        16 => DType::UInt4,
        64 => DType::UInt6,
        256 => DType::UInt8,
        _ => return None,
    })
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (indices, lut) = (call.arg("indices")?, call.arg("lut")?);
    if call.version.since >= Opset::Ios18 {
        let axis = call.get("vector_axis").and_then(|t| t.i64s().first().copied());
        return Ok(vec![looked_up(&indices.i64s(), &indices.shape, lut, axis, SLUGS.table)?]);
    }
    let wrong =
        || Failure::new("constexpr_lut_to_dense/packed-size", "the packed indices do not fit the shape");
    let shape = stated(&call.ints("shape")?).and_then(|s| s.sizes()).ok_or_else(wrong)?;
    let dtype = index_dtype(lut.count()).ok_or_else(wrong)?;
    let packed: Vec<u8> = indices.i64s().into_iter().map(|v| v as u8).collect();
    let unpacked = Tensor::from_bytes(dtype, &shape, packed.into()).map_err(|_| wrong())?;
    let from: Vec<usize> = unpacked.to_i64().into_iter().map(|i| i as usize).collect();
    Ok(vec![lut.select(&shape, &from)])
}

fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (lut, out) = (cx.ty("lut")?, cx.outputs.first().ok_or_else(|| cx.unplanned("lut"))?);
    if cx.view.version.since >= Opset::Ios18 {
        let indices = cx.ty("indices")?;
        let axis = if cx.view.has("vector_axis") { cx.view.int("vector_axis") } else { None };
        return look_up(cx, indices.dtype, &indices.shape, &lut.shape, axis);
    }
    let dtype = index_dtype(lut.count()).ok_or_else(|| cx.unplanned("lut"))?;
    let mut tables = vec![1; out.shape.len()];
    tables.extend([lut.count(), 1]);
    look_up(cx, dtype, &out.shape, &tables, None)
}
