//! `constexpr_lut_to_sparse`: sparse weights as indices into look-up tables.

use super::constexpr_lut_to_dense::{INDICES, VALUES};
use super::lut::{Slugs, expanded, looked_up};
use super::sparse::{self, bits, marked, spread};
use crate::contract::*;
use crate::support::axes::Around;
use crate::support::index::*;
use crate::support::moves::{by_size, element_size};
use mil_base::{DType, DTypes, Opset, Shape, Type};
use mil_kernels::expand::SparseLookUp;
use mil_kernels::{bytes_as, bytes_as_mut};

/// The card of `constexpr_lut_to_sparse`.
pub static CONSTEXPR_LUT_TO_SPARSE: OpDef = OpDef {
    name: "constexpr_lut_to_sparse",
    doc: Doc::page(include_str!("constexpr_lut_to_sparse.md")),
    versions: &[Version::new(
        Opset::Ios18,
        &[
            Param::constant("indices_mask", DTypes::of(&[DType::UInt1])),
            Param::constant("indices_nonzero_data", INDICES).group("IndicesT"),
            Param::constant("lut", VALUES).group("T"),
            Param::constant("vector_axis", sets::INT32).or(Default::Absent),
        ],
    )
    .outputs(Outputs::Exactly(2))],
    constraints: &[
        Constraint {
            slug: "constexpr_lut_to_sparse/one-per-bit",
            rule: "indices_nonzero_data is a vector with one element for each bit that is set in indices_mask",
        },
        Constraint {
            slug: "constexpr_lut_to_sparse/table",
            rule: "lut has the dimensions of indices_mask, the number of entries (2 to the power of the bits of an index) and the \
                   length of an entry",
        },
        Constraint {
            slug: "constexpr_lut_to_sparse/tables-divide",
            rule: "the number of tables along a dimension is a factor of its size",
        },
        Constraint {
            slug: "constexpr_lut_to_sparse/vector-axis",
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

const SLUGS: Slugs = Slugs {
    table: "constexpr_lut_to_sparse/table",
    blocks: "constexpr_lut_to_sparse/tables-divide",
    vector: "constexpr_lut_to_sparse/vector-axis",
};
const ONE_PER_BIT: &str = "constexpr_lut_to_sparse/one-per-bit";

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (mask, data, lut) = (cx.need("indices_mask")?, cx.need("indices_nonzero_data")?, cx.need("lut")?);
    sparse::check(cx, ONE_PER_BIT, "indices_mask", "indices_nonzero_data");
    let (shape, length) = expanded(cx, &SLUGS, &mask.shape, data.dtype, lut)?;
    let values = data.shape.iter().map(|d| d.map(|n| n.checked_mul(length))).collect();
    Ok(vec![Type::tensor(mask.dtype, shape), Type::tensor(lut.dtype, Shape(values))])
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (mask, lut) = (call.arg("indices_mask")?, call.arg("lut")?);
    let given = bits(mask);
    let indices = spread(&given, call.arg("indices_nonzero_data")?, ONE_PER_BIT)?;
    let axis = call.get("vector_axis").and_then(|t| t.i64s().first().copied());
    let dense = looked_up(&indices.i64s(), &mask.shape, lut, axis, SLUGS.table)?;
    let axis = axis.map_or(Ok(0), |a| axis_of(a, mask.shape.len()))?;
    // The mask grows as the tensor does: element `i` along the axis comes from `i / length`.
    let (old, new) = (Around::new(&mask.shape, axis), Around::new(&dense.shape, axis));
    let length = (new.along / old.along.max(1)).max(1);
    let from = |i: usize| {
        let (outer, along, inner) = (i / (new.along * new.after), i / new.after % new.along, i % new.after);
        (outer * old.along + along / length) * old.after + inner
    };
    let mask = mask.select(&dense.shape, &(0..dense.count()).map(from).collect::<Vec<_>>());
    let places = marked(&bits(&mask));
    let values = dense.select(&[places.len()], &places);
    Ok(vec![mask, values])
}

/// Entries of several elements, and many tables along the last dimension, are left to the definition.
fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (mask, indices, lut) = (cx.ty("indices_mask")?, cx.ty("indices_nonzero_data")?, cx.ty("lut")?);
    let plan = SparseLookUp::new(indices.dtype.bits(), &mask.shape, &lut.shape);
    let plan = plan.ok_or_else(|| cx.unplanned("lut"))?;
    let slots = [cx.need("indices_mask")?, cx.need("indices_nonzero_data")?, cx.need("lut")?];
    let (scratch, bytes) = (plan.scratch_bytes(), element_size(cx, 1)?);
    let run = move |call: &mut KernelCall<'_>| {
        let (mask, indices, lut) = (call.read(slots[0])?, call.read(slots[1])?, call.read(slots[2])?);
        let (out, scratch, pool) = (sparse::outputs(call.outputs, mask)?, &mut *call.scratch, call.pool);
        let done = by_size!(bytes, T => {
            plan.run::<T>(mask, indices, bytes_as(lut), bytes_as_mut(out), scratch, pool)
        });
        sparse::fits(done, ONE_PER_BIT)
    };
    Ok(CpuKernel::new(run).scratch(scratch))
}
