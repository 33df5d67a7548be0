//! `reverse_sequence`: the first elements of each sequence of a batch in the opposite order.

use super::common::{INDEX_17, X, X_17};
use crate::contract::*;
use crate::support::index::*;
use mil_base::{Opset, Type};

/// The card of `reverse_sequence`.
pub static REVERSE_SEQUENCE: OpDef = OpDef {
    name: "reverse_sequence",
    doc: Doc::page(include_str!("reverse_sequence.md")),
    versions: &[
        Version::new(Opset::Ios15, &[X, Param::tensor("lengths", sets::INT32), SEQ_AXIS, BATCH_AXIS]),
        Version::new(
            Opset::Ios17,
            &[X_17, Param::tensor("lengths", INDEX_17).group("U"), SEQ_AXIS, BATCH_AXIS],
        ),
    ],
    constraints: &[
        Constraint {
            slug: "reverse_sequence/axes-in-range",
            rule: "seq_axis and batch_axis are in -rank..rank",
        },
        Constraint {
            slug: "reverse_sequence/lengths",
            rule: "lengths is a vector with one entry for each element of batch_axis, from 0 to the size of seq_axis",
        },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::Reference("rare in models: it has no kernel yet"),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

const SEQ_AXIS: Param = Param::constant("seq_axis", sets::INT32).or(Default::Int(0));
const BATCH_AXIS: Param = Param::constant("batch_axis", sets::INT32).or(Default::Int(0));
const LENGTHS: &str = "reverse_sequence/lengths";

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let rank = x.shape.rank();
    let (seq, batch) = (cx.need_int("seq_axis")?, cx.need_int("batch_axis")?);
    let seq = cx.axis("reverse_sequence/axes-in-range", "seq_axis", seq, rank)?;
    let batch = cx.axis("reverse_sequence/axes-in-range", "batch_axis", batch, rank)?;
    let lengths = cx.need("lengths")?;
    if lengths.shape.rank() != 1 || !lengths.shape[0].may_equal(x.shape[batch]) {
        let message = format!("`lengths` is {} for {} sequences", lengths.shape, x.shape[batch]);
        cx.report(LENGTHS, "lengths", message, "give one length for each element of the batch axis");
    }
    if let (Some(size), Some(lengths)) = (x.shape[seq].known(), cx.ints("lengths"))
        && let Some(wrong) = lengths.iter().find(|&&l| !(0..=size as i64).contains(&l))
    {
        let message = format!("a sequence of {wrong} elements does not fit an axis of size {size}");
        cx.report(LENGTHS, "lengths", message, "lengths go from 0 to the size of the sequence axis");
    }
    cx.one(x.dtype, x.shape.clone())
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let rank = x.shape.len();
    let seq = axis_of(call.int("seq_axis")?, rank)?;
    let batch = axis_of(call.int("batch_axis")?, rank)?;
    let lengths = call.ints("lengths")?;
    if lengths.len() != x.shape[batch] {
        let message = format!("{} lengths for {} sequences", lengths.len(), x.shape[batch]);
        return Err(Failure::new(LENGTHS, message));
    }
    if let Some(wrong) = lengths.iter().find(|&&l| !(0..=x.shape[seq] as i64).contains(&l)) {
        let message = format!("a sequence of {wrong} elements does not fit an axis of size {}", x.shape[seq]);
        return Err(Failure::new(LENGTHS, message));
    }
    let strides = row_major(&x.shape);
    let from = each(&x.shape, |at| {
        let length = lengths[at[batch]] as usize;
        let i = if at[seq] < length { length - 1 - at[seq] } else { at[seq] };
        position(&strides, at) - at[seq] * strides[seq] + i * strides[seq]
    })?;
    Ok(vec![x.select(&x.shape, &from)])
}
