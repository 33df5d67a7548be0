//! `reshape`: the same elements in another shape.

use super::common::{INDEX_17, Problem, X, X_17};
use crate::contract::*;
use crate::support::index::*;
use mil_base::{Dim, Opset, Shape, Type};

/// The card of `reshape`.
pub static RESHAPE: OpDef = OpDef {
    name: "reshape",
    doc: Doc::page(include_str!("reshape.md")),
    versions: &[
        Version::new(Opset::Ios15, &[X, Param::tensor("shape", sets::INT32)]),
        Version::new(Opset::Ios17, &[X_17, Param::tensor("shape", INDEX_17).group("U")]),
    ],
    constraints: &[
        Constraint { slug: "reshape/shape-length", rule: "shape is a vector, and its length is known" },
        Constraint {
            slug: "reshape/entries",
            rule: "every entry of shape is -1 or more, and at most one is -1",
        },
        Constraint {
            slug: "reshape/zero-in-rank",
            rule: "before iOS 17, a 0 in shape copies the size at its place, so shape is as long as x has dimensions",
        },
        Constraint { slug: "reshape/same-count", rule: "the new shape has as many elements as x" },
    ],
    infer,
    reference: Reference::Rule(reference),
    cpu: Cpu::kernel(|cx| Ok(CpuKernel::view(cx.need("x")?))),
    gradient: GRADIENT_LATER,
    ane: ANE_LATER,
    cost: |_| Some(0),
    accuracy: Accuracy::EXACT,
};

fn infer(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let x = cx.need("x")?;
    let wanted = cx.need("shape")?;
    if wanted.shape.rank() != 1 {
        let message = format!("`shape` is {}, which is no vector", wanted.shape);
        return Err(cx.refuse("reshape/shape-length", "shape", message, "give one entry for each dimension"));
    }
    let Some(entries) = cx.ints("shape") else {
        let Some(rank) = wanted.shape[0].known() else { return Ok(vec![Type::Unranked(x.dtype)]) };
        return cx.one(x.dtype, Shape(vec![Dim::Unknown; rank.min(MOST_DIMENSIONS)]));
    };
    match target(&x.shape, &entries, aligns_right(cx.version)) {
        Ok(shape) => cx.one(x.dtype, Shape(shape)),
        Err(problem) => Err(problem.refuse(cx, "shape")),
    }
}

/// More dimensions than any backend has; a guard against absurd ranks, which the checker refuses by itself.
const MOST_DIMENSIONS: usize = 64;

/// From iOS 17 on a 0 in `shape` copies the size at the same distance from the last dimension.
fn aligns_right(version: &Version) -> bool {
    version.since >= Opset::Ios17
}

/// The new shape that `entries` ask for.
fn target(x: &[Dim], entries: &[i64], aligns_right: bool) -> Result<Vec<Dim>, Problem> {
    const COUNT: &str = "reshape/same-count";
    if entries.iter().filter(|&&e| e == -1).count() > 1 {
        let message = format!("{entries:?} leaves more than one size open");
        return Err(Problem::new("reshape/entries", message, "write -1 once and give the other sizes"));
    }
    let mut open = None;
    let mut shape = Vec::with_capacity(entries.len());
    for (i, &entry) in entries.iter().enumerate() {
        shape.push(match entry {
            -1 => {
                open = Some(i);
                Dim::Known(1)
            }
            0 => copied(x, entries.len(), i, aligns_right)?,
            _ => Dim::Known(usize::try_from(entry).map_err(|_| {
                let message = format!("{entry} is no size");
                Problem::new(
                    "reshape/entries",
                    message,
                    "a size is positive; 0 copies one of x, -1 is worked out",
                )
            })?),
        });
    }
    let Some((left, right)) = cancelled(x, &shape) else {
        if let Some(open) = open {
            shape[open] = Dim::Unknown;
        }
        return Ok(shape);
    };
    let (left_known, left_open) = left;
    let (right_known, right_open) = right;
    let Some(open) = open else {
        if left_open.is_empty() && right_open.is_empty() && left_known != right_known {
            let message = format!("{left_known} elements do not become {right_known} ({entries:?})");
            return Err(Problem::new(COUNT, message, "the product of the sizes must stay the same"));
        }
        return Ok(shape);
    };
    shape[open] = match (left_open.as_slice(), right_open.is_empty()) {
        ([], true) => match left_known.checked_rem(right_known) {
            Some(0) => Dim::Known(left_known / right_known),
            _ => {
                let message =
                    format!("{left_known} elements cannot be shared out by {right_known} ({entries:?})");
                return Err(Problem::new(
                    COUNT,
                    message,
                    "the other sizes must divide the number of elements of x",
                ));
            }
        },
        ([one], true) if left_known == right_known => *one,
        _ => Dim::Unknown,
    };
    Ok(shape)
}

/// The size that a 0 at place `i` of `length` entries copies.
fn copied(x: &[Dim], length: usize, i: usize, aligns_right: bool) -> Result<Dim, Problem> {
    if aligns_right {
        let from = (x.len() + i).checked_sub(length);
        return Ok(from.map_or(Dim::Known(1), |from| x[from]));
    }
    if x.len() != length {
        let message =
            format!("a 0 in a shape of {length} entries cannot copy a size of x, which has rank {}", x.len());
        let help = "write the size itself, use -1, or target iOS 17";
        return Err(Problem::new("reshape/zero-in-rank", message, help));
    }
    Ok(x[i])
}

type Volume = (usize, Vec<Dim>);

/// The known product and the open dimensions of each side, without the symbols they share; nothing on overflow.
fn cancelled(x: &[Dim], shape: &[Dim]) -> Option<(Volume, Volume)> {
    let part = |dims: &[Dim]| {
        let known = dims.iter().filter_map(|d| d.known()).try_fold(1usize, |n, d| n.checked_mul(d))?;
        Some((known, dims.iter().copied().filter(|d| d.known().is_none()).collect::<Vec<_>>()))
    };
    let (mut left, mut right) = (part(x)?, part(shape)?);
    right.1.retain(|dim| match left.1.iter().position(|l| l == dim && *l != Dim::Unknown) {
        Some(found) => {
            left.1.swap_remove(found);
            false
        }
        None => true,
    });
    Some((left, right))
}

fn reference(call: &RefCall<'_>) -> Result<Vec<RefTensor>, Failure> {
    let x = call.arg("x")?;
    let shape = target(&Shape::known(&x.shape), &call.ints("shape")?, aligns_right(call.version))?;
    let shape = Shape(shape).sizes().unwrap_or_default();
    if mil_base::tensor::count(&shape) != Some(x.count()) {
        let message = format!("{} elements do not become {shape:?}", x.count());
        return Err(Failure::new("reshape/same-count", message));
    }
    Ok(vec![RefTensor { dtype: x.dtype, shape, data: x.data.clone() }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::SymbolicDim;

    #[test]
    fn symbols_pass_through() {
        let (a, b) = (Dim::Symbol(SymbolicDim(1)), Dim::Symbol(SymbolicDim(2)));
        let (two, three) = (Dim::Known(2), Dim::Known(3));
        assert_eq!(target(&[a, two, three], &[0, 6, 1], false), Ok(vec![a, Dim::Known(6), Dim::Known(1)]));
        assert_eq!(target(&[a, two, three], &[0, -1, 2], false), Ok(vec![a, three, two]));
        assert_eq!(target(&[a, two, three], &[-1, 6], false), Ok(vec![a, Dim::Known(6)]));
        assert_eq!(target(&[a, two, three], &[-1, 2], false), Ok(vec![Dim::Unknown, two]));
        assert_eq!(target(&[a, b], &[-1], false), Ok(vec![Dim::Unknown]));
        assert_eq!(
            target(&[two, three], &[1, 0, -1, 0], true),
            Ok(vec![Dim::Known(1), Dim::Known(1), two, three])
        );
        assert!(target(&[Dim::Known(usize::MAX), two], &[-1], false).is_ok());
        assert!(target(&[two, Dim::Known(0)], &[0, -1, 0], true).is_err());
    }
}
