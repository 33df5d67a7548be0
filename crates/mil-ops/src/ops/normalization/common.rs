//! What the normalisations share: vectors with an element for each channel.

use crate::contract::*;
use mil_base::Dim;

/// Reports every argument of `names` that is given and is not a vector of `channels` elements.
pub(super) fn check_channel_vectors(cx: &mut Infer<'_>, slug: &'static str, names: &[&str], channels: Dim) {
    for name in names {
        let Some(ty) = cx.ty(name) else { continue };
        if !matches!(ty.shape.0.as_slice(), [n] if n.may_equal(channels)) {
            cx.report(
                slug,
                name,
                format!("`{name}` is {ty} and x has {channels} channels"),
                format!("give `{name}` the shape [{channels}]"),
            );
        }
    }
}

/// An argument with one element for each channel; `missing` for each when it is left out.
pub(super) fn channel_values(
    call: &RefCall<'_>,
    code: &'static str,
    name: &str,
    channels: usize,
    missing: f64,
) -> Result<Vec<f64>, Failure> {
    let values = call.get(name).map_or_else(|| vec![missing; channels], RefTensor::f64s);
    if values.len() == channels {
        return Ok(values);
    }
    Err(Failure::new(code, format!("`{name}` has {} elements for {channels} channels", values.len())))
}
