//! Kernels that move elements unchanged, whatever their dtype: strided walks over an input.

use crate::contract::{CpuCx, CpuKernel, Failure, KernelCall};
use crate::support::index::row_major;
use mil_kernels::{Pool, StridedCopy, bytes_as, bytes_as_mut};

/// Calls a generic function with the unsigned integer that has an element's size: `by_size!(size, T => f::<T>(..))`.
macro_rules! by_size {
    ($size:expr, $t:ident => $body:expr) => {
        match $size {
            1 => {
                type $t = u8;
                $body
            }
            2 => {
                type $t = u16;
                $body
            }
            4 => {
                type $t = u32;
                $body
            }
            _ => {
                type $t = u64;
                $body
            }
        }
    };
}
pub(crate) use by_size;

/// How the elements of an output are found in an input: element `i, j, ..` at `start + i * steps[0] + j * steps[1] +
/// ..`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Walk {
    /// Position of the first element.
    pub start: usize,
    /// Sizes of the walk, outermost first; their product is the output's.
    pub sizes: Vec<usize>,
    /// Distance in the input from one element to the next, along each size.
    pub steps: Vec<isize>,
}

impl Walk {
    /// The walk over a whole tensor.
    pub fn over(shape: &[usize]) -> Walk {
        let steps = row_major(shape).into_iter().map(|s| s as isize).collect();
        Walk { start: 0, sizes: shape.to_vec(), steps }
    }

    /// A walk with these sizes and steps from the first element on.
    pub fn new(sizes: &[usize], steps: &[usize]) -> Walk {
        Walk { start: 0, sizes: sizes.to_vec(), steps: steps.iter().map(|&s| s as isize).collect() }
    }

    /// Does every step it takes stay within an input of `count` elements, wherever in it the walk starts?
    pub fn is_within(&self, count: usize) -> bool {
        let reach = self.sizes.iter().zip(&self.steps).try_fold(0usize, |sum, (&size, step)| {
            sum.checked_add(size.saturating_sub(1).checked_mul(step.unsigned_abs())?)
        });
        reach.is_some_and(|reach| reach < count.max(1))
    }

    /// Does it visit the elements of an input of `count` elements in their order?
    fn is_whole(&self, count: usize) -> bool {
        let mut wanted = 1;
        for (&size, &step) in self.sizes.iter().zip(&self.steps).rev() {
            if size != 1 && step != wanted {
                return false;
            }
            wanted *= size as isize;
        }
        self.start == 0 && wanted == count as isize
    }

    /// The kernel that copies the walk over the input at `slot` into output 0; a view where nothing moves.
    pub fn kernel(self, cx: &CpuCx<'_>, slot: usize, input: &[usize]) -> Result<CpuKernel, Failure> {
        if self.is_whole(input.iter().product()) {
            return Ok(CpuKernel::view(slot));
        }
        let size = element_size(cx, 0)?;
        let copy = Copy::new(&self);
        let start = self.start;
        Ok(CpuKernel::new(move |call| {
            let (x, pool) = (call.read(slot)?, call.pool);
            copy.run(size, start, x, output(call, 0)?, pool);
            Ok(())
        }))
    }
}

/// A walk made ready to run from any start.
pub enum Copy {
    /// All steps are forward.
    Forward(StridedCopy),
    /// Some steps are backward.
    Signed {
        /// For each dimension, the distance of each of its places from the first element.
        tables: Vec<Vec<isize>>,
        /// Size of the last dimension.
        row: usize,
    },
}

impl Copy {
    /// Plans a walk; its `start` is given to [`Copy::run`].
    pub fn new(walk: &Walk) -> Copy {
        let steps: Option<Vec<usize>> = walk.steps.iter().map(|&s| usize::try_from(s).ok()).collect();
        if let Some(steps) = steps {
            return Copy::Forward(StridedCopy::new(&walk.sizes, 0, &steps, 0, &row_major(&walk.sizes)));
        }
        let table = |(&size, &step): (&usize, &isize)| (0..size as isize).map(|i| i * step).collect();
        let tables: Vec<Vec<isize>> = walk.sizes.iter().zip(&walk.steps).map(table).collect();
        let row = walk.sizes.last().copied().unwrap_or(1);
        Copy::Signed { tables, row }
    }

    /// Copies elements of `size` bytes.
    pub fn run(&self, size: usize, start: usize, x: &[u8], out: &mut [u8], pool: &Pool) {
        if out.is_empty() {
            return;
        }
        by_size!(size, T => match self {
            Copy::Forward(copy) => copy.run::<T>(&bytes_as::<T>(x)[start..], bytes_as_mut(out), pool),
            Copy::Signed { tables, row } => {
                let x = bytes_as::<T>(x);
                let (last, outer) = tables.split_last().expect("a backward step belongs to a dimension");
                pool.for_pieces(bytes_as_mut::<T>(out), *row, (GRAIN / row).max(1), |at, line| {
                    let (mut rest, mut first) = (at, start as isize);
                    for table in outer.iter().rev() {
                        first += table[rest % table.len()];
                        rest /= table.len();
                    }
                    for (o, offset) in line.iter_mut().zip(last) {
                        *o = x[(first + offset) as usize];
                    }
                });
            }
        });
    }
}

/// Elements that are worth handing to another thread.
pub const GRAIN: usize = 16 * 1024;

/// Bytes of an element of output `index`; an op on packed elements or strings has no kernel.
pub fn element_size(cx: &CpuCx<'_>, index: usize) -> Result<usize, Failure> {
    let size = cx.outputs.get(index).and_then(|o| o.dtype.size());
    size.ok_or_else(|| {
        Failure::new("op/not-planned", format!("`{}` has no kernel for its dtype", cx.def().name))
    })
}

/// An output buffer.
pub fn output<'c>(call: &'c mut KernelCall<'_>, index: usize) -> Result<&'c mut [u8], Failure> {
    let missing = || Failure::new("op/output-missing", "an output buffer is missing");
    call.outputs.get_mut(index).map(|o| &mut **o).ok_or_else(missing)
}

/// Copies input `slot` to output 0, unless the output was laid over it already.
pub fn bring(call: &mut KernelCall<'_>, slot: usize) -> Result<(), Failure> {
    if let Some(x) = call.input(slot) {
        output(call, 0)?.copy_from_slice(x);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_run_in_both_directions() {
        let pool = Pool::inline();
        let x: Vec<u8> = (0..6).collect();
        let mut out = [0; 6];
        Copy::new(&Walk { start: 0, sizes: vec![3, 2], steps: vec![1, 3] }).run(1, 0, &x, &mut out, &pool);
        assert_eq!(out, [0, 3, 1, 4, 2, 5]);
        let back = Walk { start: 5, sizes: vec![2, 3], steps: vec![-3, -1] };
        Copy::new(&back).run(1, back.start, &x, &mut out, &pool);
        assert_eq!(out, [5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn walks_that_move_nothing_are_seen() {
        assert!(Walk::over(&[2, 3]).is_whole(6));
        assert!(Walk { start: 0, sizes: vec![3, 1, 2], steps: vec![2, 77, 1] }.is_whole(6));
        assert!(!Walk { start: 0, sizes: vec![3, 2], steps: vec![1, 3] }.is_whole(6));
        assert!(!Walk { start: 0, sizes: vec![2, 2], steps: vec![2, 1] }.is_whole(6));
    }
}
