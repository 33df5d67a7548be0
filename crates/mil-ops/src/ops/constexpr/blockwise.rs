//! Scales and offsets that each serve a block of elements.

use crate::contract::{CpuCx, CpuKernel, Failure, Infer, KernelCall, RefTensor};
use crate::support::index::*;
use crate::support::plan::output;
use mil_base::{DType, Shape};
use mil_kernels::expand::{Numbers, Scaled};
use mil_kernels::{Floats, FloatsMut};

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

/// The kernel of `(data - offset) * scale`.
pub fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (data, scale) = (cx.ty("data")?, cx.ty("scale")?);
    let plan = Scaled::new(&data.shape, &scale.shape).ok_or_else(|| cx.unplanned("scale"))?;
    by_blocks(cx, ["data", "offset"], plan)
}

/// The kernel of `(data - offset) * scale`. The arguments of these `names` may be 4-bit, 8-bit or floats. Scales and offsets
/// are read when it runs, so that they may be compressed themselves.
pub fn by_blocks(cx: &CpuCx<'_>, names: [&'static str; 2], plan: Scaled) -> Result<CpuKernel, Failure> {
    let read = Parts::new(cx, names)?;
    let out_dtype = cx.ty("scale")?.dtype;
    Ok(CpuKernel::new(move |call| {
        let (data, scale, offset) = read.of(call)?;
        let out = FloatsMut::new(out_dtype, output(call.outputs)?).ok_or_else(not_floats)?;
        plan.run(data, scale, offset, out, call.pool);
        Ok(())
    }))
}

/// Where a kernel finds data, scales and offsets.
pub struct Parts {
    data: (usize, DType),
    scale: (usize, DType),
    offset: Option<(usize, DType)>,
}

impl Parts {
    /// The slots of `scale` and of the arguments of these names; the offset may be absent.
    pub fn new(cx: &CpuCx<'_>, [data, offset]: [&str; 2]) -> Result<Parts, Failure> {
        let part = |name: &str| -> Result<(usize, DType), Failure> {
            let dtype = cx.ty(name)?.dtype;
            match Numbers::takes(dtype) {
                true => Ok((cx.need(name)?, dtype)),
                false => Err(cx.unplanned(name)),
            }
        };
        let offset = if cx.view.has(offset) { Some(part(offset)?) } else { None };
        let scale = part("scale")?;
        if !scale.1.is_float() {
            return Err(cx.unplanned("scale"));
        }
        Ok(Parts { data: part(data)?, scale, offset })
    }

    /// Data, scales and offsets of a call.
    pub fn of<'a>(
        &self,
        call: &KernelCall<'a>,
    ) -> Result<(Numbers<'a>, Floats<'a>, Option<Numbers<'a>>), Failure> {
        let numbers =
            |(slot, dtype): (usize, DType)| Numbers::new(dtype, call.read(slot)?).ok_or_else(not_floats);
        let scale = Floats::new(self.scale.1, call.read(self.scale.0)?).ok_or_else(not_floats)?;
        Ok((numbers(self.data)?, scale, self.offset.map(numbers).transpose()?))
    }
}

/// The failure of a kernel that met other types than it was planned for.
pub fn not_floats() -> Failure {
    Failure::new("op/not-planned", "this kernel is of other types")
}
