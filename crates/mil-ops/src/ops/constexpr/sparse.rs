//! What the cards of sparse weights share.

use crate::contract::{Failure, Infer, RefData, RefTensor};
use mil_base::Tensor;

/// The bits that are set in a packed mask. Bits behind the last element count too: they must be 0.
pub fn ones(mask: &Tensor) -> usize {
    mask.bytes().iter().map(|b| b.count_ones() as usize).sum()
}

/// Reports nonzero data that is no vector, or not as long as the known mask has ones.
pub fn check(cx: &mut Infer<'_>, slug: &'static str, mask: &str, data: &str) {
    let Some(ty) = cx.ty(data) else { return };
    let length = ty.shape.first().copied();
    let known = cx.tensor(mask).map(|m| ones(&m));
    let (1, Some(length)) = (ty.shape.rank(), length) else {
        let message = format!("`{data}` is {}, not a vector", ty.shape);
        return cx.report(slug, data, message, "give the elements that are not zero, in row-major order");
    };
    if let Some(ones) = known.filter(|&n| !length.may_equal(n.into())) {
        let message = format!("`{data}` has {length} elements but `{mask}` marks {ones}");
        cx.report(slug, data, message, "give one element for each bit that is set");
    }
}

/// The elements put at the places that the mask marks, in order, zero elsewhere; as a vector.
pub fn spread(mask: &[bool], nonzero: &RefTensor, slug: &'static str) -> Result<RefTensor, Failure> {
    if mask.iter().filter(|&&m| m).count() != nonzero.count() {
        return Err(Failure::new(slug, "the mask does not mark as many elements as there are"));
    }
    // Place 0 of this tensor is a zero, the elements follow.
    let mut with_zero = nonzero.clone();
    match &mut with_zero.data {
        RefData::Float(v) => v.insert(0, 0.0),
        RefData::Int(v) => v.insert(0, 0),
        RefData::Bool(v) => v.insert(0, false),
        RefData::Text(v) => v.insert(0, String::new()),
    }
    let mut next = 0;
    let from: Vec<usize> = mask
        .iter()
        .map(|&marked| {
            next += usize::from(marked);
            if marked { next } else { 0 }
        })
        .collect();
    Ok(with_zero.select(&[mask.len()], &from))
}

/// The places that a mask marks.
pub fn marked(mask: &[bool]) -> Vec<usize> {
    mask.iter().enumerate().filter(|(_, m)| **m).map(|(i, _)| i).collect()
}

/// A mask as bools.
pub fn bits(mask: &RefTensor) -> Vec<bool> {
    mask.i64s().into_iter().map(|v| v != 0).collect()
}

/// The second output of a call, after the first was given the mask.
pub fn outputs<'c>(outputs: &'c mut [&mut [u8]], mask: &[u8]) -> Result<&'c mut [u8], Failure> {
    match outputs {
        [first, second, ..] if first.len() == mask.len() => {
            first.copy_from_slice(mask);
            Ok(second)
        }
        _ => Err(Failure::new("op/output-missing", "an output buffer is missing")),
    }
}

/// The failure of a kernel that found another number of elements than the mask marks.
pub fn fits(done: bool, slug: &'static str) -> Result<(), Failure> {
    match done {
        true => Ok(()),
        false => Err(Failure::new(slug, "the mask does not mark as many elements as there are")),
    }
}
