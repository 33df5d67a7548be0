//! Logic of two tensors of bools, a row each.

use super::common::{OF_BOOLS, infer_bool, shapes_broadcast};
use crate::contract::*;
use crate::support::elementwise::Pair;
use crate::support::plan::bools;
use mil_kernels::{Logical, binary::logical};

const PAGE: &str = include_str!("logical.md");

macro_rules! row {
    ($name:literal, $rule:expr, $kernel:expr) => {
        OpDef {
            name: $name,
            doc: Doc::section(PAGE, $name),
            versions: OF_BOOLS,
            constraints: shapes_broadcast!($name),
            infer: infer_bool,
            reference: Reference::Rule(|call| {
                let rule: fn(bool, bool) -> bool = $rule;
                let pair = Pair::of(call)?;
                Ok(vec![RefTensor::bools(&pair.shape, pair.i64s(|x, y| rule(x != 0, y != 0)))])
            }),
            cpu: Cpu::kernel(|cx| bools(cx, |plan, x, y, out, pool| logical($kernel, plan, x, y, out, pool))),
            gradient: Gradient::None("bools have no derivative"),
            ane: Ane::Todo("the Neural Engine's rules are a later issue"),
            cost: |_| Some(0),
            accuracy: Accuracy::EXACT,
        }
    };
}

/// Both.
pub static LOGICAL_AND: OpDef = row!("logical_and", |x, y| x && y, Logical::And);
/// Either or both.
pub static LOGICAL_OR: OpDef = row!("logical_or", |x, y| x || y, Logical::Or);
/// One but not both.
pub static LOGICAL_XOR: OpDef = row!("logical_xor", |x, y| x != y, Logical::Xor);
