//! Comparisons of two tensors, a row each.

use super::common::{OF_NUMBERS, infer_bool, shapes_broadcast};
use crate::contract::*;
use crate::support::elementwise::{Pair, each_output};
use crate::support::plan::comparison;
use mil_kernels::Compare;

const PAGE: &str = include_str!("comparison.md");

macro_rules! row {
    ($name:literal, $float:expr, $kernel:expr) => {
        OpDef {
            name: $name,
            doc: Doc::section(PAGE, $name),
            versions: OF_NUMBERS,
            constraints: shapes_broadcast!($name),
            infer: infer_bool,
            reference: Reference::Rule(|call| {
                let pair = Pair::of(call)?;
                Ok(vec![RefTensor::bools(&pair.shape, pair.f64s($float))])
            }),
            cpu: Cpu::kernel(|cx| comparison(cx, $kernel)),
            gradient: Gradient::Zero,
            ane: Ane::Todo("the Neural Engine's rules are a later issue"),
            cost: |op| each_output(op, 1),
            accuracy: Accuracy::EXACT,
        }
    };
}

/// `x == y`.
pub static EQUAL: OpDef = row!("equal", |x, y| x == y, Compare::Equal);
/// `x > y`.
pub static GREATER: OpDef = row!("greater", |x, y| x > y, Compare::Greater);
/// `x >= y`.
pub static GREATER_EQUAL: OpDef = row!("greater_equal", |x, y| x >= y, Compare::GreaterEqual);
/// `x < y`.
pub static LESS: OpDef = row!("less", |x, y| x < y, Compare::Less);
/// `x <= y`.
pub static LESS_EQUAL: OpDef = row!("less_equal", |x, y| x <= y, Compare::LessEqual);
/// `x != y`.
pub static NOT_EQUAL: OpDef = row!("not_equal", |x, y| x != y, Compare::NotEqual);
