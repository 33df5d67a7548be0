//! What `begin`, `end`, `stride` and the masks of a slice mean.
//!
//! The rules follow coremltools (`solve_slice_by_index_shape`), which differs from numpy in corners: a dimension of
//! size 1 always gives its one element unless the slice is evidently empty, and a bound before the first element
//! stops at it.

use super::common::Problem;
use crate::contract::{CpuCx, Failure, KernelCall, OpView, RefCall};
use crate::support::moves::Walk;
use crate::support::words::{Ints, Words};
use mil_base::Dim;

/// One bound of a slice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// As far as the dimension goes.
    Masked,
    /// At this index.
    At(i64),
    /// At an index known only at run time.
    Unknown,
}

/// One dimension of a slice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Axis {
    /// First index.
    pub begin: Edge,
    /// Index behind the last.
    pub end: Edge,
    /// Step, not 0.
    pub stride: i64,
    /// Only the element at `begin` is taken, and the dimension left out.
    pub squeeze: bool,
}

/// The elements of a dimension of known size that a slice takes: `start`, `start + step`, .. in its range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// The first element.
    pub start: usize,
    /// From one to the next.
    pub step: i64,
    /// How many.
    pub count: usize,
    /// Is the dimension left out of the result?
    pub squeeze: bool,
}

impl Cut {
    /// Element `i` of the cut, which is in range for `i < count`.
    pub fn at(&self, i: usize) -> usize {
        (self.start as i64 + i as i64 * self.step) as usize
    }
}

/// The slugs under which an op reports broken rules of slices.
#[derive(Clone, Copy, Debug)]
pub struct Slugs {
    /// `begin`, `end`, `stride` and the masks are as long as `x` has dimensions.
    pub lengths: &'static str,
    /// No stride is 0.
    pub stride: &'static str,
    /// The bounds are in order and in range.
    pub bounds: &'static str,
}

/// The arguments of a slice by name: values where known.
#[derive(Clone, Default, Debug)]
pub struct Arguments {
    /// First indices; nothing while unknown.
    pub begin: Option<Vec<i64>>,
    /// Last indices; nothing while unknown.
    pub end: Option<Vec<i64>>,
    /// Steps, all 1 if absent.
    pub stride: Option<Vec<i64>>,
    /// `begin_mask`, `end_mask`, `squeeze_mask`, all false if absent.
    pub masks: [Option<Vec<i64>>; 3],
}

const MASKS: [&str; 3] = ["begin_mask", "end_mask", "squeeze_mask"];

impl Arguments {
    /// As far as they are known before execution. A mask that cannot be read is the argument named in the error.
    pub fn of_op(view: &OpView<'_>) -> Result<Arguments, &'static str> {
        let optional = |name: &'static str| match view.has(name) {
            true => view.ints(name).map(Some).ok_or(name),
            false => Ok(None),
        };
        Ok(Arguments {
            begin: view.ints("begin"),
            end: view.ints("end"),
            stride: optional("stride")?,
            masks: [optional(MASKS[0])?, optional(MASKS[1])?, optional(MASKS[2])?],
        })
    }

    /// Of an execution.
    pub fn of_call(call: &RefCall<'_>) -> Arguments {
        let values = |name: &str| call.get(name).map(|t| t.i64s());
        Arguments {
            begin: values("begin"),
            end: values("end"),
            stride: values("stride"),
            masks: MASKS.map(values),
        }
    }

    /// The slice of a tensor of that rank.
    pub fn axes(&self, rank: usize, slugs: &Slugs) -> Result<Vec<Axis>, Problem> {
        let named = [("begin", &self.begin), ("end", &self.end), ("stride", &self.stride)];
        let masks = MASKS.into_iter().zip(&self.masks);
        for (name, values) in named.into_iter().chain(masks) {
            if let Some(values) = values.as_ref().filter(|v| v.len() != rank) {
                let message = format!("`{name}` has {} entries but x has rank {rank}", values.len());
                return Err(Problem::new(slugs.lengths, message, "give one entry for each dimension of x"));
            }
        }
        let entry = |values: &Option<Vec<i64>>, d: usize| values.as_ref().map(|v| v[d]);
        let masked = |which: usize, d: usize| entry(&self.masks[which], d).unwrap_or(0) != 0;
        let edge = |mask: usize, values: &Option<Vec<i64>>, d: usize| match entry(values, d) {
            _ if masked(mask, d) => Edge::Masked,
            Some(at) => Edge::At(at),
            None => Edge::Unknown,
        };
        let axis = |d: usize| match entry(&self.stride, d).unwrap_or(1) {
            0 => {
                let message = format!("the stride of dimension {d} is 0");
                Err(Problem::new(slugs.stride, message, "use a positive or negative step"))
            }
            stride => Ok(Axis {
                begin: edge(0, &self.begin, d),
                end: edge(1, &self.end, d),
                stride,
                squeeze: masked(2, d),
            }),
        };
        (0..rank).map(axis).collect()
    }
}

/// The shape of a slice; dimensions that depend on unknown sizes or bounds are unknown.
pub fn shape(x: &[Dim], axes: &[Axis], slugs: &Slugs) -> Result<Vec<Dim>, Problem> {
    let mut dims = Vec::new();
    for (d, (&size, axis)) in x.iter().zip(axes).enumerate() {
        let dim = count(size, axis).map_err(|message| bounds(slugs, d, message))?;
        if let (Some(size), false) = (size.known(), axis.begin == Edge::Unknown || axis.end == Edge::Unknown)
        {
            cut(size, axis).map_err(|message| bounds(slugs, d, message))?;
        }
        if !axis.squeeze {
            dims.push(dim);
        }
    }
    Ok(dims)
}

/// What a slice of known bounds takes of each dimension.
pub fn cuts(x: &[usize], axes: &[Axis], slugs: &Slugs) -> Result<Vec<Cut>, Problem> {
    let parts = x.iter().zip(axes).enumerate();
    parts.map(|(d, (&size, axis))| cut(size, axis).map_err(|message| bounds(slugs, d, message))).collect()
}

fn bounds(slugs: &Slugs, d: usize, message: String) -> Problem {
    Problem::new(
        slugs.bounds,
        format!("dimension {d}: {message}"),
        "begin and end must lie within x, in the order of the stride",
    )
}

/// How many elements a dimension gives, as far as it is known.
fn count(size: Dim, axis: &Axis) -> Result<Dim, String> {
    let stride = axis.stride;
    let step = usize::try_from(stride.unsigned_abs()).unwrap_or(usize::MAX);
    if axis.squeeze {
        return Ok(Dim::Known(1));
    }
    match (axis.begin, axis.end) {
        (Edge::Masked, Edge::Masked) if step == 1 => return Ok(size),
        (Edge::Masked, Edge::Masked) => return Ok(size.map(|n| Some(n.div_ceil(step)))),
        (Edge::At(begin), Edge::At(end)) => {
            let forward = begin >= 0 && end >= 0 && stride > 0;
            let backward = begin < 0 && end < 0 && stride < 0;
            let distance = if forward { end.checked_sub(begin) } else { begin.checked_sub(end) };
            if forward || backward {
                let Some(distance) = distance.and_then(|d| usize::try_from(d).ok()) else {
                    return Err(format!("{begin} to {end} in steps of {stride} is against the direction"));
                };
                if distance <= step {
                    return Ok(Dim::Known(distance.min(1)));
                }
            }
        }
        (Edge::At(0), Edge::Masked) if stride < 0 => return Ok(Dim::Known(1)),
        (Edge::At(-1), Edge::Masked) if stride > 0 => return Ok(Dim::Known(1)),
        _ => {}
    }
    let Dim::Known(size) = size else {
        let whole =
            matches!(axis.begin, Edge::Masked | Edge::At(0)) && axis.end == Edge::Masked && stride == 1;
        return Ok(if whole { size } else { Dim::Unknown });
    };
    if size == 1 {
        return Ok(Dim::Known(1));
    }
    if axis.begin == Edge::Unknown || axis.end == Edge::Unknown {
        return Ok(Dim::Unknown);
    }
    let last = size as i64 - 1;
    let (begin, end) = if stride > 0 {
        (place(axis.begin, size, 0), place(axis.end, size, size as i64).min(size as i64))
    } else {
        (place(axis.begin, size, last).min(last), place(axis.end, size, -1))
    };
    let distance = if stride > 0 { end - begin } else { begin - end };
    Ok(Dim::Known(usize::try_from(distance).unwrap_or(0).div_ceil(step)))
}

/// A bound as an index, negative ones counted from the end but never before the first element.
fn place(edge: Edge, size: usize, masked: i64) -> i64 {
    match edge {
        Edge::At(at) if at < 0 => at.saturating_add(size as i64).max(0),
        Edge::At(at) => at,
        Edge::Masked | Edge::Unknown => masked,
    }
}

/// What one dimension of known size and bounds gives.
fn cut(size: usize, axis: &Axis) -> Result<Cut, String> {
    let last = size as i64 - 1;
    if axis.squeeze {
        let begin = if let Edge::At(at) = axis.begin { at } else { 0 };
        let start = if begin < 0 { begin.saturating_add(size as i64) } else { begin };
        if !(0..size as i64).contains(&start) {
            return Err(format!("index {begin} is out of range for the size {size}"));
        }
        return Ok(Cut { start: start as usize, step: 1, count: 1, squeeze: true });
    }
    let count = count(Dim::Known(size), axis)?.known().unwrap_or(0);
    let start = match axis.stride > 0 {
        _ if size == 1 => 0,
        true => place(axis.begin, size, 0),
        false => place(axis.begin, size, last).min(last),
    };
    let step = if count > 1 { axis.stride } else { 1 };
    let end = (count as i64).saturating_sub(1).saturating_mul(step).saturating_add(start);
    let inside = |at: i64| (0..size as i64).contains(&at);
    if count > 0 && !(inside(start) && inside(end)) {
        return Err(format!("elements {start} to {end} are out of range for the size {size}"));
    }
    Ok(Cut { start: if count > 0 { start as usize } else { 0 }, step, count, squeeze: false })
}

/// For each element of a slice, in row-major order, its position in `x`.
pub fn positions(x: &[usize], cuts: &[Cut]) -> Result<Vec<usize>, Failure> {
    let strides = crate::support::index::row_major(x);
    let counts: Vec<usize> = cuts.iter().map(|c| c.count).collect();
    crate::support::index::each(&counts, |at| {
        cuts.iter().zip(at).zip(&strides).map(|((cut, &i), stride)| cut.at(i) * stride).sum()
    })
}

/// The walk over `x` that visits a slice.
pub fn walk(x: &[usize], cuts: &[Cut]) -> Walk {
    let strides = crate::support::index::row_major(x);
    Walk {
        start: cuts.iter().zip(&strides).map(|(cut, stride)| cut.start * stride).sum(),
        sizes: cuts.iter().map(|cut| cut.count).collect(),
        steps: cuts.iter().zip(&strides).map(|(cut, &stride)| cut.step as isize * stride as isize).collect(),
    }
}

/// `begin` and `end` as they come at run time.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    begin: Words,
    end: Words,
}

impl Bounds {
    /// Those of the op.
    pub fn of(cx: &CpuCx<'_>) -> Result<Bounds, Failure> {
        Ok(Bounds { begin: Words::of(cx, "begin")?, end: Words::of(cx, "end")? })
    }

    /// The position in `x` of the first element of the slice, which must have the planned sizes.
    pub fn start(
        &self,
        call: &KernelCall<'_>,
        axes: &[Axis],
        x: &[usize],
        sizes: &[usize],
        strides: &[usize],
        slugs: &Slugs,
    ) -> Result<usize, Failure> {
        let (begin, end) = (self.begin.read(call)?, self.end.read(call)?);
        let mut start = 0;
        for (d, axis) in axes.iter().enumerate() {
            let at = |edge, words: Ints<'_>| if edge == Edge::Masked { edge } else { Edge::At(words.at(d)) };
            let axis = Axis { begin: at(axis.begin, begin), end: at(axis.end, end), ..*axis };
            let cut = cut(x[d], &axis).map_err(|message| bounds(slugs, d, message))?;
            if cut.count != sizes[d] {
                let message =
                    format!("dimension {d}: the slice has {} elements, not {}", cut.count, sizes[d]);
                return Err(Failure::new(slugs.bounds, message));
            }
            start += cut.start * strides[d];
        }
        Ok(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLUGS: Slugs = Slugs { lengths: "l", stride: "s", bounds: "b" };

    fn taken(size: usize, begin: Edge, end: Edge, stride: i64) -> Vec<usize> {
        let axis = Axis { begin, end, stride, squeeze: false };
        let cut = cut(size, &axis).unwrap();
        assert_eq!(shape(&[Dim::Known(size)], &[axis], &SLUGS), Ok(vec![Dim::Known(cut.count)]));
        (0..cut.count).map(|i| cut.at(i)).collect()
    }

    #[test]
    fn slices_take_what_coremltools_says() {
        use Edge::{At, Masked};
        assert_eq!(taken(6, At(1), At(5), 2), [1, 3]);
        assert_eq!(taken(6, At(-2), At(-1), 1), [4]);
        assert_eq!(taken(6, At(-1), At(-4), -2), [5, 3]);
        assert_eq!(taken(6, Masked, Masked, -1), [5, 4, 3, 2, 1, 0]);
        assert_eq!(taken(5, Masked, Masked, -2), [4, 2, 0]);
        assert_eq!(taken(6, At(4), Masked, -2), [4, 2, 0]);
        assert_eq!(taken(6, At(0), Masked, -1), [0]);
        assert_eq!(taken(6, At(-1), Masked, 1), [5]);
        assert_eq!(taken(6, At(2), At(100), 1), [2, 3, 4, 5]);
        assert_eq!(taken(6, At(3), At(3), 1), [0usize; 0]);
        assert_eq!(taken(1, At(-1), At(-2), -1), [0]);
        assert_eq!(taken(1, At(0), At(5), 3), [0]);
    }

    #[test]
    fn wrong_bounds_are_told() {
        let axis =
            |begin, end, stride| Axis { begin: Edge::At(begin), end: Edge::At(end), stride, squeeze: false };
        assert!(cut(6, &axis(4, 2, 1)).is_err());
        assert!(cut(3, &axis(5, 6, 1)).is_err());
        assert!(cut(3, &axis(i64::MIN, i64::MAX, i64::MAX)).is_ok());
        assert!(cut(3, &axis(i64::MIN, i64::MAX, i64::MIN)).is_ok());
        let pick = Axis { squeeze: true, ..axis(3, 0, 1) };
        assert!(cut(3, &pick).is_err());
        assert_eq!(cut(4, &pick).unwrap().start, 3);
    }

    #[test]
    fn unknown_sizes_flow() {
        let s = Dim::Symbol(mil_base::SymbolicDim(1));
        let axis = |begin, end, stride| Axis { begin, end, stride, squeeze: false };
        let dim = |size, a| shape(&[size], &[a], &SLUGS).unwrap()[0];
        assert_eq!(dim(s, axis(Edge::Masked, Edge::Masked, 1)), s);
        assert_eq!(dim(s, axis(Edge::At(0), Edge::Masked, 1)), s);
        assert_eq!(dim(s, axis(Edge::At(-1), Edge::Masked, 1)), Dim::Known(1));
        assert_eq!(dim(s, axis(Edge::At(1), Edge::Masked, 1)), Dim::Unknown);
        assert_eq!(dim(Dim::Known(4), axis(Edge::Unknown, Edge::Masked, 1)), Dim::Unknown);
    }
}
