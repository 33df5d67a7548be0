//! Resizing the last axes of a tensor: the reference and the kernels of every op that does.

use super::grid::{Sampling, before};
use crate::contract::*;
use crate::support::plan::output;
use mil_base::tensor::count;
use mil_base::{DType, Dim, Shape, f16};
use mil_kernels::resize::{Tap, bilinear, nearest};
use mil_kernels::{Float, bytes_as, bytes_as_mut};

/// What happens between elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Between {
    /// The one before is repeated; sampling modes make no difference.
    Before,
    /// The nearest one is repeated.
    Nearest,
    /// Neighbours are mixed.
    Linear,
}

/// A change of size of the last axes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Resizing {
    /// Between elements.
    pub(super) between: Between,
    /// Which elements.
    pub(super) sampling: Sampling,
    /// New sizes of the last axes.
    pub(super) sizes: Vec<usize>,
}

/// Refuses `x` of fewer than three axes; gives it otherwise.
pub(super) fn need_image<'a>(
    cx: &mut Infer<'a>,
    slug: &'static str,
) -> Result<&'a mil_base::TensorType, Refused> {
    let x = cx.need("x")?;
    if x.shape.rank() >= 3 {
        return Ok(x);
    }
    let help = "x needs at least a channel axis before height and width: expand_dims adds it";
    Err(cx.refuse(slug, "x", format!("x is {x}"), help))
}

/// The shape with another height and width.
pub(super) fn with_image(shape: &Shape, [height, width]: [Dim; 2]) -> Shape {
    let mut shape = shape.clone();
    if let [.., h, w] = &mut shape.0[..] {
        (*h, *w) = (height, width);
    }
    shape
}

impl Resizing {
    /// The element that `o` of `new` repeats.
    fn single(&self, o: usize, old: usize, new: usize) -> usize {
        match self.between {
            Between::Before => before(o, old, new),
            _ => self.sampling.nearest(o, old, new),
        }
    }

    /// Resizes one axis after the other.
    pub(super) fn reference(&self, x: &RefTensor) -> Result<RefTensor, Failure> {
        let too_large = || Failure::new("op/too-large", "the result is larger than memory can hold");
        let lead = x.shape.len().checked_sub(self.sizes.len()).ok_or_else(|| {
            Failure::new("op/argument-unreadable", "more axes are to be resized than there are")
        })?;
        let (mut shape, mut values) = (x.shape.clone(), x.f64s());
        for (i, &size) in self.sizes.iter().enumerate() {
            let axis = lead + i;
            let (old, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
            if old == 0 && size > 0 {
                return Err(Failure::new(
                    "op/argument-unreadable",
                    format!("axis {axis} has no elements to resize"),
                ));
            }
            shape[axis] = size;
            let total = count(&shape).filter(|&n| n <= 1 << 33).ok_or_else(too_large)?;
            let outer: usize = shape[..axis].iter().product();
            let mut resized = Vec::with_capacity(total);
            for at in 0..outer {
                let element = |o: usize, k: usize| values[(at * old + o) * inner + k];
                for o in 0..size {
                    match self.between {
                        Between::Before | Between::Nearest => {
                            let from = self.single(o, old, size);
                            resized.extend((0..inner).map(|k| element(from, k)));
                        }
                        Between::Linear => {
                            let (low, high, weight) = self.sampling.linear(o, old, size);
                            let mix = |k| element(low, k) * (1.0 - weight) + element(high, k) * weight;
                            resized.extend((0..inner).map(mix));
                        }
                    }
                }
            }
            values = resized;
        }
        Ok(RefTensor::from_f64(x.dtype, &shape, values))
    }

    /// The kernel for `x`; nothing if more than the last two axes change.
    pub(super) fn plan(&self, cx: &CpuCx<'_>) -> Result<CpuKernel, Failure> {
        let (x, slot) = (cx.ty("x")?, cx.need("x")?);
        let lead = x.shape.len().checked_sub(self.sizes.len()).ok_or_else(|| cx.unplanned("x"))?;
        let mut shape = x.shape.clone();
        shape[lead..].copy_from_slice(&self.sizes);
        // Offset corners move every position, even from a size to the same size.
        if shape == x.shape && !matches!(self.sampling, Sampling::OffsetCorners) {
            return Ok(CpuKernel::view(slot));
        }
        let rank = shape.len();
        let inner = rank.saturating_sub(2);
        if shape[..inner] != x.shape[..inner] || x.count() == 0 {
            return Err(cx.unplanned("x"));
        }
        // A tensor of one axis is an image of one row.
        let image = |s: &[usize]| match s[inner..] {
            [h, w] => [h, w],
            [w] => [1, w],
            _ => [1, 1],
        };
        let (from, to) = (image(&x.shape), image(&shape));
        match (self.between, x.dtype) {
            (Between::Before | Between::Nearest, d) if d.size() == Some(2) => {
                Ok(self.nearest::<u16>(slot, from, to))
            }
            (Between::Before | Between::Nearest, d) if d.size() == Some(4) => {
                Ok(self.nearest::<u32>(slot, from, to))
            }
            (Between::Linear, DType::Fp16) => Ok(self.bilinear::<f16>(slot, from, to)),
            (Between::Linear, DType::Fp32) => Ok(self.bilinear::<f32>(slot, from, to)),
            _ => Err(cx.unplanned("x")),
        }
    }

    fn nearest<T: bytemuck::Pod + Send + Sync>(
        &self,
        slot: usize,
        from: [usize; 2],
        to: [usize; 2],
    ) -> CpuKernel {
        let table = |i: usize| (0..to[i]).map(|o| self.single(o, from[i], to[i])).collect();
        let [rows, columns]: [Vec<usize>; 2] = [table(0), table(1)];
        let prepared = (rows.len() + columns.len()) * size_of::<usize>();
        CpuKernel::new(move |call| {
            let x = bytes_as::<T>(call.read(slot)?);
            nearest(from, &rows, &columns, x, bytes_as_mut(output(call.outputs)?), call.pool);
            Ok(())
        })
        .keeps(Vec::new(), prepared)
    }

    fn bilinear<T: Float>(&self, slot: usize, from: [usize; 2], to: [usize; 2]) -> CpuKernel {
        let tap = |(low, high, weight): (usize, usize, f64)| Tap { low, high, weight: weight as f32 };
        let table = |i: usize| (0..to[i]).map(|o| tap(self.sampling.linear(o, from[i], to[i]))).collect();
        let [rows, columns]: [Vec<Tap>; 2] = [table(0), table(1)];
        let prepared = (rows.len() + columns.len()) * size_of::<Tap>();
        CpuKernel::new(move |call| {
            let x = bytes_as::<T>(call.read(slot)?);
            bilinear(from, &rows, &columns, x, bytes_as_mut(output(call.outputs)?), call.pool);
            Ok(())
        })
        .keeps(Vec::new(), prepared)
    }
}

/// Operations of interpolation: four products and sums for each element of the result.
pub(super) fn cost_linear(op: &OpView<'_>) -> Option<u64> {
    (op.outputs().first().copied().flatten()?.shape.count()? as u64).checked_mul(8)
}
