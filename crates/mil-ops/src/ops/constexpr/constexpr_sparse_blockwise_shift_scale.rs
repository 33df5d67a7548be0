//! `constexpr_sparse_blockwise_shift_scale`: sparse weights, quantised with a scale and an offset for each block.

use super::blockwise::{Parts, Slugs, check, not_floats, scaled};
use super::constexpr_sparse_to_dense::QUANTISED;
use super::sparse::{self, bits, marked, spread};
use crate::contract::*;
use crate::support::index::ANE_LATER;
use mil_base::{DType, DTypes, Opset, Type};
use mil_kernels::FloatsMut;
use mil_kernels::expand::{Numbers, SparseScaled};

/// The card of `constexpr_sparse_blockwise_shift_scale`.
pub static CONSTEXPR_SPARSE_BLOCKWISE_SHIFT_SCALE: OpDef = OpDef {
    name: "constexpr_sparse_blockwise_shift_scale",
    doc: Doc::page(include_str!("constexpr_sparse_blockwise_shift_scale.md")),
    versions: &[Version::new(
        Opset::Ios18,
        &[
            Param::constant("data_mask", DTypes::of(&[DType::UInt1])),
            Param::constant("nonzero_data", QUANTISED).group("SrcT"),
            Param::constant("scale", sets::FLOAT).group("DstT"),
            Param::constant("offset", QUANTISED).group("OffsetT").or(Default::Absent),
        ],
    )
    .outputs(Outputs::Exactly(2))],
    constraints: &[
        Constraint {
            slug: "constexpr_sparse_blockwise_shift_scale/one-per-bit",
            rule: "nonzero_data is a vector with one element for each bit that is set in data_mask",
        },
        Constraint {
            slug: "constexpr_sparse_blockwise_shift_scale/scale-shape",
            rule: "scale has the rank of data_mask, at least 1, and each of its sizes is a factor of the mask's",
        },
        Constraint {
            slug: "constexpr_sparse_blockwise_shift_scale/offset",
            rule: "offset has the shape of scale, and the dtype of nonzero_data unless it is a float",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::None("its arguments are constants"),
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::ROUNDED,
};

const SLUGS: Slugs = Slugs {
    scale: "constexpr_sparse_blockwise_shift_scale/scale-shape",
    offset: "constexpr_sparse_blockwise_shift_scale/offset",
};
const ONE_PER_BIT: &str = "constexpr_sparse_blockwise_shift_scale/one-per-bit";

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (mask, data, scale) = (cx.need("data_mask")?, cx.need("nonzero_data")?, cx.need("scale")?);
    sparse::check(cx, ONE_PER_BIT, "data_mask", "nonzero_data");
    check(cx, &SLUGS, &mask.shape, data.dtype);
    Ok(vec![Type::tensor(mask.dtype, mask.shape.clone()), Type::tensor(scale.dtype, data.shape.clone())])
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let mask = call.arg("data_mask")?;
    let bits = bits(mask);
    let mut dense = spread(&bits, call.arg("nonzero_data")?, ONE_PER_BIT)?;
    dense.shape = mask.shape.clone();
    let dense = scaled(&dense, call.arg("scale")?, call.get("offset"), SLUGS.scale)?;
    let places = marked(&bits);
    Ok(vec![mask.clone(), dense.select(&[places.len()], &places)])
}

/// Very short blocks are left to the definition.
fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (mask, scale) = (cx.ty("data_mask")?, cx.ty("scale")?);
    let plan = SparseScaled::new(&mask.shape, &scale.shape).ok_or_else(|| cx.unplanned("scale"))?;
    let (slot, read) = (cx.need("data_mask")?, Parts::new(cx, ["nonzero_data", "offset"])?);
    let (scratch, dtype) = (plan.scratch_bytes(), scale.dtype);
    let run = move |call: &mut KernelCall<'_>| {
        let (mask, (data, scale, offset)) = (call.read(slot)?, read.of(call)?);
        let out = sparse::outputs(call.outputs, mask)?;
        let out = FloatsMut::new(dtype, out).ok_or_else(not_floats)?;
        sparse::fits(
            plan.run(mask, [data, Numbers::Floats(scale)], offset, out, call.scratch, call.pool),
            ONE_PER_BIT,
        )
    };
    Ok(CpuKernel::new(run).scratch(scratch))
}
