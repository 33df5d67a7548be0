//! `constexpr_blockwise_shift_scale`: quantised weights with a scale and an offset for each block.

use super::blockwise::{Slugs, check, plan, scaled};
use super::constexpr_sparse_to_dense::QUANTISED;
use crate::contract::*;
use crate::support::index::ANE_LATER;
use mil_base::{Opset, Type};

/// The card of `constexpr_blockwise_shift_scale`.
pub static CONSTEXPR_BLOCKWISE_SHIFT_SCALE: OpDef = OpDef {
    name: "constexpr_blockwise_shift_scale",
    doc: Doc::page(include_str!("constexpr_blockwise_shift_scale.md")),
    versions: &[Version::new(
        Opset::Ios18,
        &[
            Param::constant("data", QUANTISED).group("SrcT"),
            Param::constant("scale", sets::FLOAT).group("DstT"),
            Param::constant("offset", QUANTISED).group("OffsetT").or(Default::Absent),
        ],
    )],
    constraints: &[
        Constraint {
            slug: "constexpr_blockwise_shift_scale/scale-shape",
            rule: "scale has the rank of data, at least 1, and each of its sizes is a factor of the data's",
        },
        Constraint {
            slug: "constexpr_blockwise_shift_scale/offset",
            rule: "offset has the shape of scale, and the dtype of data unless it is a float",
        },
    ],
    infer,
    reference: Reference::Rule(|call| {
        Ok(vec![scaled(call.arg("data")?, call.arg("scale")?, call.get("offset"), SLUGS.scale)?])
    }),
    cpu: Cpu::kernel(plan),
    gradient: Gradient::None("its arguments are constants"),
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::ROUNDED,
};

const SLUGS: Slugs = Slugs {
    scale: "constexpr_blockwise_shift_scale/scale-shape",
    offset: "constexpr_blockwise_shift_scale/offset",
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let (data, scale) = (cx.need("data")?, cx.need("scale")?);
    check(cx, &SLUGS, &data.shape, data.dtype);
    cx.one(scale.dtype, data.shape.clone())
}
