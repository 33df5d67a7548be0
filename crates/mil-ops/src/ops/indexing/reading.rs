//! What the gather ops copy, once they know from where.

use super::indices::{OutOfRange, Outside};
use crate::contract::*;
use crate::support::moves::{GRAIN, by_size, element_size, output};
use crate::support::words::{Ints, Words};
use mil_kernels::{bytes_as, bytes_as_mut};

/// The elements of `x` at these positions, zero where there is none.
pub(super) fn picked(x: &RefTensor, shape: &[usize], from: &[Option<usize>]) -> RefTensor {
    let mut with_zero = x.clone();
    with_zero.shape = vec![x.count() + 1];
    match &mut with_zero.data {
        RefData::Float(v) => v.push(0.0),
        RefData::Int(v) => v.push(0),
        RefData::Bool(v) => v.push(false),
        RefData::Text(v) => v.push(String::new()),
    }
    let zero = x.count();
    with_zero.select(shape, &from.iter().map(|at| at.unwrap_or(zero)).collect::<Vec<_>>())
}

/// Which slice of `x` each row of a gather's output is.
pub(super) trait Rows: Send + Sync + 'static {
    /// Elements of a row.
    fn width(&self) -> usize;
    /// Looks at every index; the error is the first that is out of range.
    fn check(&self, indices: &Ints<'_>) -> Result<(), OutOfRange>;
    /// The element of `x` with which a row begins; nothing if its index is ignored.
    fn begin(&self, indices: &Ints<'_>, row: usize) -> Result<Option<usize>, OutOfRange>;
}

/// The kernel that copies rows from `x`, and puts zeros where an index is ignored. `slug` is of an index out of range.
pub(super) fn kernel(
    cx: &CpuCx<'_>,
    outside: Outside,
    slug: &'static str,
    rows: impl Rows,
) -> Result<CpuKernel, Failure> {
    let (slot, words, bytes) = (cx.need("x")?, Words::of(cx, "indices")?, element_size(cx, 0)?);
    let width = rows.width();
    Ok(CpuKernel::new(move |call| {
        let words = words.read(call)?;
        if outside.checks() {
            rows.check(&words).map_err(|e| e.failure(slug))?;
        }
        let (x, pool) = (call.read(slot)?, call.pool);
        let out = output(call, 0)?;
        by_size!(bytes, T => {
            let (x, out) = (bytes_as::<T>(x), bytes_as_mut::<T>(out));
            pool.for_pieces(out, width, (GRAIN / width.max(1)).max(1), |row, line| {
                match rows.begin(&words, row) {
                    Ok(Some(from)) => line.copy_from_slice(&x[from..from + line.len()]),
                    _ => line.fill(0),
                }
            });
        });
        Ok(())
    }))
}
