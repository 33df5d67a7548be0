//! Scales and offsets that each serve a block of elements.

use crate::contract::{CpuCx, CpuKernel, Failure, Infer, RefTensor};
use crate::support::index::*;
use crate::support::moves::{GRAIN, output};
use mil_base::{DType, Shape, f16};
use mil_kernels::{Pool, bytes_as_mut};

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

/// Fills an fp16 or fp32 buffer in pieces of `width` elements: `values(piece)` gives the element at each place.
pub fn store<F: Fn(usize) -> f32>(
    dtype: DType,
    out: &mut [u8],
    width: usize,
    pool: &Pool,
    values: impl Fn(usize) -> F + Sync,
) {
    let grain = (GRAIN / width.max(1)).max(1);
    match dtype {
        DType::Fp16 => pool.for_pieces(bytes_as_mut::<f16>(out), width, grain, |piece, line| {
            let value = values(piece);
            line.iter_mut().enumerate().for_each(|(i, o)| *o = f16::from_f32(value(i)));
        }),
        _ => pool.for_pieces(bytes_as_mut::<f32>(out), width, grain, |piece, line| {
            let value = values(piece);
            line.iter_mut().enumerate().for_each(|(i, o)| *o = value(i));
        }),
    }
}

/// The kernel of `(data - offset) * scale` for integers of 4 and 8 bits.
pub fn plan(cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
    let (data, slot, scale) = (cx.ty("data")?, cx.need("data")?, cx.ty("scale")?);
    let floats = |name: &str| -> Result<Vec<f32>, Failure> {
        let tensor = cx.tensor(name).ok_or_else(|| cx.unplanned(name))?;
        Ok(tensor.to_f64().into_iter().map(|v| v as f32).collect())
    };
    let scales = floats("scale")?;
    let offsets = if cx.view.has("offset") { floats("offset")? } else { vec![0.0; scales.len()] };
    let (Some(&width), rank) = (data.shape.last(), data.shape.len()) else {
        return Err(cx.unplanned("data"));
    };
    let fits = |(&n, &s): (&usize, &usize)| s > 0 && n.is_multiple_of(s);
    if scale.shape.len() != rank
        || !data.shape.iter().zip(&scale.shape).all(fits)
        || offsets.len() != scales.len()
    {
        return Err(cx.unplanned("scale"));
    }
    let read: fn(&[u8], usize) -> f32 = match data.dtype {
        DType::Int8 => |x, at| f32::from(x[at] as i8),
        DType::UInt8 => |x, at| f32::from(x[at]),
        // The even element is in the low half of its byte.
        DType::Int4 => |x, at| f32::from(((x[at / 2] << (4 * (1 - at % 2))) as i8) >> 4),
        DType::UInt4 => |x, at| f32::from(x[at / 2] >> (4 * (at % 2)) & 15),
        _ => return Err(cx.unplanned("data")),
    };
    let blocks: Vec<usize> = data.shape.iter().zip(&scale.shape).map(|(n, s)| n / s).collect();
    let strides = row_major(&scale.shape);
    let last = blocks[rank - 1];
    Ok(CpuKernel::new(move |call| {
        let (x, pool) = (call.read(slot)?, call.pool);
        let out = output(call, 0)?;
        let first_block = |row: usize| {
            let (mut rest, mut block) = (row, 0);
            for d in (0..rank - 1).rev() {
                block += rest % data.shape[d] / blocks[d] * strides[d];
                rest /= data.shape[d];
            }
            block
        };
        // A piece is a block of a row: one scale and one offset.
        let per_row = width / last.max(1);
        store(scale.dtype, out, last, pool, |piece| {
            let (row, within) = (piece / per_row.max(1), piece % per_row.max(1));
            let block = first_block(row) + within;
            let (offset, scale, first) = (offsets[block], scales[block], row * width + within * last);
            move |i| (read(x, first + i) - offset) * scale
        });
        Ok(())
    }))
}
