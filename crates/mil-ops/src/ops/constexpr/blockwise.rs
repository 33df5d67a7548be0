//! Scales and offsets that each serve a block of elements.

use crate::contract::{Failure, Infer, RefTensor};
use crate::support::index::*;
use mil_base::{DType, Shape};

/// The slugs under which an op reports the rules of blocks.
pub struct Slugs {
    /// Shape of the scale.
    pub scale: &'static str,
    /// Shape and dtype of the offset.
    pub offset: &'static str,
}

/// Reports scales and offsets that do not fit data of that shape and dtype.
pub fn check(cx: &mut Infer<'_>, slugs: &Slugs, data: &Shape, dtype: DType) {
    let Some(scale) = cx.ty("scale") else { return };
    let divides = |(n, s): (&mil_base::Dim, &mil_base::Dim)| match (n.known(), s.known()) {
        (Some(n), Some(s)) => s > 0 && n.is_multiple_of(s),
        _ => true,
    };
    if data.rank() == 0 || scale.shape.rank() != data.rank() || !data.iter().zip(&*scale.shape).all(divides) {
        let message = format!("`scale` is {} but the data is {data}", scale.shape);
        let help = "`scale` has the rank of the data, and each of its sizes is a factor of the data's";
        cx.report(slugs.scale, "scale", message, help);
    }
    let Some(offset) = cx.ty("offset") else { return };
    if !offset.shape.may_equal(&scale.shape) || (!offset.dtype.is_float() && offset.dtype != dtype) {
        let message = format!("`offset` is {offset} but `scale` is {scale} and the data {dtype}");
        let help = "`offset` has the shape of `scale`, and the dtype of the data unless it is a float";
        cx.report(slugs.offset, "offset", message, help);
    }
}

/// `(data - offset) * scale`, each block with its own.
pub fn scaled(
    data: &RefTensor,
    scale: &RefTensor,
    offset: Option<&RefTensor>,
    slug: &'static str,
) -> Result<RefTensor, Failure> {
    let fits = |(&n, &s): (&usize, &usize)| s > 0 && n.is_multiple_of(s);
    let same = offset.is_none_or(|o| o.shape == scale.shape);
    if scale.shape.len() != data.shape.len() || !data.shape.iter().zip(&scale.shape).all(fits) || !same {
        return Err(Failure::new(slug, "the scales do not fit the data"));
    }
    let strides = row_major(&scale.shape);
    let (scales, offsets) = (scale.f64s(), offset.map(RefTensor::f64s));
    let mut values = data.f64s().into_iter();
    let result = each(&data.shape, |at| {
        let block: usize = (0..at.len()).map(|d| at[d] / (data.shape[d] / scale.shape[d]) * strides[d]).sum();
        (values.next().unwrap_or(0.0) - offsets.as_ref().map_or(0.0, |o| o[block])) * scales[block]
    })?;
    Ok(RefTensor::floats(scale.dtype, &data.shape, result))
}
