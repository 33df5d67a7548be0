//! The kernel of `argsort` and `topk`: lines of a tensor put in order.

use super::argsort::before;
use crate::contract::{Failure, KernelCall};
use crate::support::axes::Around;
use mil_base::{DType, f16};
use mil_kernels::bytes_as;
use std::cmp::Ordering;

/// Bytes of scratch memory that ordering lines of `n` elements takes.
pub fn scratch(n: usize) -> usize {
    n * size_of::<u32>()
}

/// For each line along the axis calls `each` with the position of its first element and the indices of its elements
/// in order: the first `k` of them sorted, the rest of no use. `each` is also given the outputs.
pub fn for_lines(
    call: &mut KernelCall<'_>,
    x: &[u8],
    dtype: DType,
    around: Around,
    k: usize,
    ascending: bool,
    mut each: impl FnMut(&mut [&mut [u8]], usize, &[u32]),
) -> Result<(), Failure> {
    let n = around.along;
    let order = &mut bytemuck::cast_slice_mut::<u8, u32>(&mut call.scratch[..scratch(n)])[..n];
    for first in around.lines() {
        let after = around.after;
        match dtype {
            DType::Fp32 => {
                let x = bytes_as::<f32>(x);
                sort(order, k, |i| f64::from(x[first + i * after]), ascending);
            }
            DType::Fp16 => {
                let x = bytes_as::<f16>(x);
                sort(order, k, |i| x[first + i * after].to_f64(), ascending);
            }
            DType::Int32 => {
                let x = bytes_as::<i32>(x);
                sort(order, k, |i| f64::from(x[first + i * after]), ascending);
            }
            DType::Int16 => {
                let x = bytes_as::<i16>(x);
                sort(order, k, |i| f64::from(x[first + i * after]), ascending);
            }
            DType::UInt16 => {
                let x = bytes_as::<u16>(x);
                sort(order, k, |i| f64::from(x[first + i * after]), ascending);
            }
            DType::Int8 => sort(order, k, |i| f64::from(x[first + i * after] as i8), ascending),
            DType::UInt8 => sort(order, k, |i| f64::from(x[first + i * after]), ascending),
            other => {
                return Err(Failure::new("op/not-planned", format!("elements of {other} cannot be sorted")));
            }
        }
        each(call.outputs, first, &order[..k]);
    }
    Ok(())
}

/// Puts the indices of the `k` first elements into the front of `order`, sorted; equal ones by index.
fn sort(order: &mut [u32], k: usize, value: impl Fn(usize) -> f64, ascending: bool) {
    for (i, o) in order.iter_mut().enumerate() {
        *o = i as u32;
    }
    let compare = |a: &u32, b: &u32| -> Ordering {
        before(ascending, value(*a as usize), value(*b as usize)).then(a.cmp(b))
    };
    if k > 0 && k < order.len() {
        order.select_nth_unstable_by(k - 1, compare);
    }
    order[..k].sort_unstable_by(compare);
}
