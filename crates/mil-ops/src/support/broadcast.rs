//! numpy broadcasting: shapes are aligned at their last dimension, and a size of 1 repeats.

use crate::contract::{Failure, Infer, Refused};
use mil_base::{Dim, Shape, tensor::count};

/// The dimension two dimensions broadcast to; nothing if they cannot.
///
/// Two different unknown sizes give an unknown size; a known size other than 1 wins over an unknown one, which can then
/// only be that size or 1.
pub fn dim(a: Dim, b: Dim) -> Option<Dim> {
    match (a, b) {
        _ if a == b => Some(a),
        (Dim::Known(1), other) | (other, Dim::Known(1)) => Some(other),
        (Dim::Known(_), Dim::Known(_)) => None,
        (known @ Dim::Known(_), _) | (_, known @ Dim::Known(_)) => Some(known),
        _ => Some(Dim::Unknown),
    }
}

/// The shape two shapes broadcast to; nothing if they cannot.
pub fn shape(a: &Shape, b: &Shape) -> Option<Shape> {
    let rank = a.rank().max(b.rank());
    let at = |s: &Shape, d: usize| match (d + s.rank()).checked_sub(rank) {
        Some(i) => s[i],
        None => Dim::Known(1),
    };
    (0..rank).map(|d| dim(at(a, d), at(b, d))).collect::<Option<Vec<_>>>().map(Shape)
}

/// The sizes all of these shapes broadcast to; nothing if they cannot.
pub fn sizes(shapes: &[&[usize]]) -> Option<Vec<usize>> {
    let all = shapes.iter().try_fold(Shape::scalar(), |sum, s| shape(&sum, &Shape::known(s)))?;
    all.sizes()
}

/// The shape the named arguments broadcast to, or the constraint `slug` is broken.
pub fn infer(cx: &mut Infer<'_>, slug: &'static str, names: &[&str]) -> Result<Shape, Refused> {
    let mut all = Shape::scalar();
    for (i, name) in names.iter().enumerate() {
        let ty = cx.need(name)?;
        let Some(wider) = shape(&all, &ty.shape) else {
            let others = match &names[..i] {
                [one] => format!("`{one}`"),
                more => more.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" and "),
            };
            return Err(cx.refuse(
                slug,
                name,
                format!("`{name}` is {} but {others} {all}, and these do not broadcast", ty.shape),
                "aligned at the last dimension, sizes must be equal or 1: reshape or transpose one of them",
            ));
        };
        all = wider;
    }
    Ok(all)
}

/// For each element of a tensor of shape `out`, in row-major order, the row-major position in a tensor of shape `from`
/// that broadcasts to it. For references: `RefTensor::select` takes it.
pub fn positions(from: &[usize], out: &[usize]) -> Result<Vec<usize>, Failure> {
    let mismatch = || Failure::new("op/shapes-differ", format!("{from:?} does not broadcast to {out:?}"));
    let lead = out.len().checked_sub(from.len()).ok_or_else(mismatch)?;
    let mut strides = vec![0; out.len()];
    let mut step = 1;
    for d in (0..from.len()).rev() {
        if from[d] != 1 {
            if from[d] != out[lead + d] {
                return Err(mismatch());
            }
            strides[lead + d] = step;
        }
        step *= from[d];
    }
    let total = count(out).ok_or_else(too_large)?;
    let mut positions = Vec::new();
    positions.try_reserve_exact(total).map_err(|_| too_large())?;
    let mut index = vec![0; out.len()];
    let mut at = 0;
    for _ in 0..total {
        positions.push(at);
        for d in (0..out.len()).rev() {
            index[d] += 1;
            at += strides[d];
            if index[d] < out[d] {
                break;
            }
            at -= strides[d] * out[d];
            index[d] = 0;
        }
    }
    Ok(positions)
}

fn too_large() -> Failure {
    Failure::new("op/too-large", "the result is larger than memory can hold")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::SymbolicDim;

    #[test]
    fn dimensions_broadcast_as_far_as_they_are_known() {
        let (s, t) = (Dim::Symbol(SymbolicDim(1)), Dim::Symbol(SymbolicDim(2)));
        let cases = [
            (Dim::Known(3), Dim::Known(3), Some(Dim::Known(3))),
            (Dim::Known(1), Dim::Known(3), Some(Dim::Known(3))),
            (Dim::Known(2), Dim::Known(3), None),
            (Dim::Known(1), s, Some(s)),
            (Dim::Known(3), s, Some(Dim::Known(3))),
            (s, s, Some(s)),
            (s, t, Some(Dim::Unknown)),
            (s, Dim::Unknown, Some(Dim::Unknown)),
            (Dim::Known(0), Dim::Known(1), Some(Dim::Known(0))),
        ];
        for (a, b, want) in cases {
            assert_eq!(dim(a, b), want, "{a:?} {b:?}");
            assert_eq!(dim(b, a), want, "{b:?} {a:?}");
        }
    }

    #[test]
    fn positions_follow_numpy() {
        assert_eq!(sizes(&[&[2, 1, 3], &[4, 1], &[]]), Some(vec![2, 4, 3]));
        assert_eq!(sizes(&[&[2], &[3]]), None);
        assert_eq!(positions(&[2, 1], &[2, 3]).unwrap(), [0, 0, 0, 1, 1, 1]);
        assert_eq!(positions(&[3], &[2, 3]).unwrap(), [0, 1, 2, 0, 1, 2]);
        assert_eq!(positions(&[], &[2]).unwrap(), [0, 0]);
        assert_eq!(positions(&[1, 2, 1], &[2, 2, 2]).unwrap(), [0, 0, 1, 1, 0, 0, 1, 1]);
        assert_eq!(positions(&[3], &[0, 3]).unwrap(), [0usize; 0]);
        assert!(positions(&[2], &[3]).is_err());
        assert!(positions(&[1], &[usize::MAX, 8]).is_err());
    }
}
