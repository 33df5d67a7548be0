//! Axes as users write them, and row-major positions.

pub use super::axes::resolve as axis_of;
use crate::contract::{Ane, Failure, Gradient, Infer, Refused};
use mil_base::{Dim, tensor::count};

/// The gradient of an op that has one, until differentiation is written.
pub const GRADIENT_LATER: Gradient = Gradient::Todo("differentiation is a later issue");
/// The Neural Engine's view of an op, until its rules are written.
pub const ANE_LATER: Ane = Ane::Todo("the Neural Engine's rules are a later issue");

/// An axis in `-rank..rank` as `0..rank`.
pub fn wrap_axis(axis: i64, rank: usize) -> Option<usize> {
    let rank = rank as i64;
    let axis = if axis < 0 { axis.checked_add(rank)? } else { axis };
    (0..rank).contains(&axis).then_some(axis as usize)
}

/// Checks axes in `-rank..rank`, none named twice, and gives them as `0..rank` in the order written.
pub fn distinct_axes(
    cx: &mut Infer<'_>,
    slug: &'static str,
    name: &str,
    axes: &[i64],
    rank: usize,
) -> Result<Vec<usize>, Refused> {
    let mut found = Vec::new();
    for &axis in axes {
        let axis = cx.axis(slug, name, axis, rank)?;
        if found.contains(&axis) {
            return Err(cx.refuse(slug, name, format!("axis {axis} is named twice"), "name each axis once"));
        }
        found.push(axis);
    }
    Ok(found)
}

/// Elements the reference runtime makes at most in one tensor: it is for reading, and values of a few bytes can ask
/// for any size.
const MOST_ELEMENTS: usize = 1 << 28;

/// The number of elements of a result whose size follows from run-time values, if it is reasonable.
pub fn room_for(shape: &[usize]) -> Result<usize, Failure> {
    count(shape).filter(|&n| n <= MOST_ELEMENTS).ok_or_else(|| {
        Failure::new(
            "op/result-too-large",
            format!("a result of shape {shape:?} is too large for the reference"),
        )
    })
}

/// Row-major strides of a shape, in elements.
pub fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for d in (1..shape.len()).rev() {
        strides[d - 1] = strides[d].saturating_mul(shape[d]);
    }
    strides
}

/// The row-major position of an index.
pub fn position(strides: &[usize], at: &[usize]) -> usize {
    strides.iter().zip(at).map(|(s, i)| s * i).sum()
}

/// What `f` says for every index of `shape`, in row-major order.
pub fn each<T>(shape: &[usize], mut f: impl FnMut(&[usize]) -> T) -> Result<Vec<T>, Failure> {
    try_each(shape, |at| Ok(f(at)))
}

/// As [`each`], until `f` fails.
pub fn try_each<T>(
    shape: &[usize],
    mut f: impl FnMut(&[usize]) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let n = room_for(shape)?;
    let mut out = Vec::with_capacity(n);
    let mut at = vec![0; shape.len()];
    for _ in 0..n {
        out.push(f(&at)?);
        for d in (0..shape.len()).rev() {
            at[d] += 1;
            if at[d] < shape[d] {
                break;
            }
            at[d] = 0;
        }
    }
    Ok(out)
}

/// The product of dimensions: known if all are; the one dimension that is not 1 if there is one; else unknown.
pub fn product(dims: &[Dim]) -> Dim {
    let mut result = Dim::Known(1);
    for &dim in dims {
        result = match (result, dim) {
            (Dim::Known(a), Dim::Known(b)) => a.checked_mul(b).map_or(Dim::Unknown, Dim::Known),
            (Dim::Known(1), other) | (other, Dim::Known(1)) => other,
            _ => Dim::Unknown,
        };
    }
    result
}

/// The sum of dimensions, known if all are.
pub fn sum(dims: impl IntoIterator<Item = Dim>) -> Dim {
    let mut result = Dim::Known(0);
    for dim in dims {
        result = match (result, dim) {
            (Dim::Known(a), Dim::Known(b)) => a.checked_add(b).map_or(Dim::Unknown, Dim::Known),
            (Dim::Known(0), other) => other,
            _ => Dim::Unknown,
        };
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::SymbolicDim;

    #[test]
    fn indices_come_in_row_major_order() {
        let strides = row_major(&[2, 3]);
        assert_eq!(each(&[2, 3], |at| position(&strides, at)).unwrap(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(each(&[], |_| 7).unwrap(), [7]);
        assert!(each(&[3, 0], |_| 7).unwrap().is_empty());
        assert!(room_for(&[usize::MAX, 2]).is_err());
    }

    #[test]
    fn products_keep_a_lone_symbol() {
        let s = Dim::Symbol(SymbolicDim(3));
        assert_eq!(product(&[Dim::Known(1), s, Dim::Known(1)]), s);
        assert_eq!(product(&[Dim::Known(2), s]), Dim::Unknown);
        assert_eq!(product(&[]), Dim::Known(1));
    }
}
