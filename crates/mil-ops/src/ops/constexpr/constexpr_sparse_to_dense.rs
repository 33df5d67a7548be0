//! `constexpr_sparse_to_dense`: weights that are mostly zero.

use super::lut::stated;
use super::sparse::{self, bits, check, spread};
use crate::contract::*;
use crate::support::index::*;
use crate::support::moves::{by_size, element_size};
use crate::support::plan::output;
use mil_base::{DType, DTypes, Opset, Tensor, Type};
use mil_kernels::expand::Spread;
use mil_kernels::{bytes_as, bytes_as_mut};

/// The card of `constexpr_sparse_to_dense`.
pub static CONSTEXPR_SPARSE_TO_DENSE: OpDef = OpDef {
    name: "constexpr_sparse_to_dense",
    doc: Doc::page(include_str!("constexpr_sparse_to_dense.md")),
    versions: &[
        Version::new(
            Opset::Ios16,
            &[
                Param::constant(
                    "nonzero_data",
                    DTypes::of(&[DType::Fp16, DType::Fp32, DType::Int8, DType::UInt8]),
                )
                .group("T"),
                Param::constant("mask", DTypes::of(&[DType::UInt8])),
                Param::constant("shape", DTypes::of(&[DType::UInt32])),
            ],
        ),
        Version::new(
            Opset::Ios18,
            &[
                Param::constant("nonzero_data", QUANTISED).group("T"),
                Param::constant("mask", DTypes::of(&[DType::UInt1])),
            ],
        ),
    ],
    constraints: &[
        Constraint {
            slug: "constexpr_sparse_to_dense/one-per-bit",
            rule: "nonzero_data is a vector with one element for each bit that is set in mask",
        },
        Constraint {
            slug: "constexpr_sparse_to_dense/mask-size",
            rule: "before iOS 18 mask is a vector of as many bytes as one bit for each element of shape takes",
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

/// Types of weights that may be quantised.
pub(super) const QUANTISED: DTypes =
    DTypes::of(&[DType::Fp16, DType::Fp32, DType::Int4, DType::Int8, DType::UInt4, DType::UInt8]);
const ONE_PER_BIT: &str = "constexpr_sparse_to_dense/one-per-bit";

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (data, mask) = (cx.need("nonzero_data")?, cx.need("mask")?);
    check(cx, ONE_PER_BIT, "mask", "nonzero_data");
    if cx.version.since >= Opset::Ios18 {
        return cx.one(data.dtype, mask.shape.clone());
    }
    let shape = cx.need_ints("shape")?;
    let Some(shape) = stated(&shape) else { return Err(cx.unknown("shape")) };
    let bytes = shape.count().and_then(|n| DType::UInt1.bytes_for(n));
    if mask.shape.rank() != 1 || bytes.is_none_or(|n| !mask.shape[0].may_equal(n.into())) {
        let message = format!("`mask` is {} but there are {shape} elements", mask.shape);
        let help = "give one bit for each element, lowest bits first";
        return Err(cx.refuse("constexpr_sparse_to_dense/mask-size", "mask", message, help));
    }
    cx.one(data.dtype, shape)
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let (data, mask) = (call.arg("nonzero_data")?, call.arg("mask")?);
    let (bits, shape) = if call.version.since >= Opset::Ios18 {
        (bits(mask), mask.shape.clone())
    } else {
        let wrong = || Failure::new("constexpr_sparse_to_dense/mask-size", "the mask does not fit the shape");
        let shape = stated(&call.ints("shape")?).and_then(|s| s.sizes()).ok_or_else(wrong)?;
        let bytes: Vec<u8> = mask.i64s().into_iter().map(|v| v as u8).collect();
        let packed = Tensor::from_bytes(DType::UInt1, &shape, bytes.into()).map_err(|_| wrong())?;
        (packed.to_i64().into_iter().map(|v| v != 0).collect(), shape)
    };
    let mut dense = spread(&bits, data, ONE_PER_BIT)?;
    dense.shape = shape;
    Ok(vec![dense])
}

/// Packed elements of 4 bits are left to the definition.
fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (data, mask, bytes) = (cx.need("nonzero_data")?, cx.need("mask")?, element_size(cx, 0)?);
    let count = cx.outputs.first().map_or(0, Concrete::count);
    let plan = Spread::new(count).ok_or_else(|| cx.unplanned("mask"))?;
    let scratch = plan.scratch_bytes();
    let run = move |call: &mut KernelCall<'_>| {
        let (data, mask) = (call.read(data)?, call.read(mask)?);
        let (out, scratch, pool) = (output(call.outputs)?, &mut *call.scratch, call.pool);
        let done = by_size!(bytes, T => {
            plan.run::<T>(mask, bytes_as(data), bytes_as_mut(out), scratch, pool)
        });
        sparse::fits(done, ONE_PER_BIT)
    };
    Ok(CpuKernel::new(run).scratch(scratch))
}
