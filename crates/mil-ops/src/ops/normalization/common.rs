//! What the normalisations share: vectors with an element for each channel.

use crate::contract::*;
use mil_base::{DType, Dim};
use mil_kernels::Floats;

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

/// Where a kernel finds `gamma` or `beta`, which may be left out and may have another dtype than `x`.
#[derive(Clone, Copy)]
pub(super) struct Parameter(Option<(usize, DType)>);

impl Parameter {
    /// The argument of that name.
    pub(super) fn new(cx: &CpuCx<'_>, name: &str) -> Result<Parameter, Failure> {
        match cx.slot(name) {
            Some(slot) => Ok(Parameter(Some((slot, cx.ty(name)?.dtype)))),
            None => Ok(Parameter(None)),
        }
    }

    /// Its contents in one execution.
    pub(super) fn read<'a>(&self, call: &KernelCall<'a>) -> Result<Option<Floats<'a>>, Failure> {
        let Some((slot, dtype)) = self.0 else { return Ok(None) };
        let floats = Floats::new(dtype, call.read(slot)?);
        floats.map(Some).ok_or_else(|| Failure::new("op/not-planned", "a normalisation is of floats"))
    }
}
