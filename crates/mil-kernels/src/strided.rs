//! Loops over strided tensors: shapes are collapsed at plan time, so that at run time only the rows that must be
//! separate are.

/// A loop nest over `N` tensors of one index space: outer dimensions, and one innermost row.
#[derive(Clone, Debug, PartialEq)]
pub struct Loops<const N: usize> {
    /// Outer sizes with the stride of each tensor, outermost first.
    outer: Vec<(usize, [usize; N])>,
    /// Length of the innermost row.
    pub row: usize,
    /// Stride of each tensor along the row: 1 contiguous, 0 broadcast.
    pub steps: [usize; N],
}

impl<const N: usize> Loops<N> {
    /// The nest over `shape`, given each tensor's stride per dimension (0 where it is broadcast). Dimensions that
    /// every tensor walks as one are merged.
    pub fn new(shape: &[usize], strides: [&[usize]; N]) -> Loops<N> {
        let mut dims: Vec<(usize, [usize; N])> = Vec::new();
        for (d, &size) in shape.iter().enumerate() {
            if size == 1 {
                continue;
            }
            let step = strides.map(|s| s[d]);
            match dims.last_mut() {
                Some((n, last)) if (0..N).all(|t| last[t] == step[t] * size) => {
                    *n *= size;
                    *last = step;
                }
                _ => dims.push((size, step)),
            }
        }
        let (row, steps) = dims.pop().unwrap_or((1, [1; N]));
        Loops { outer: dims, row, steps }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.outer.iter().map(|d| d.0).product()
    }

    /// Number of elements.
    pub fn count(&self) -> usize {
        self.rows() * self.row
    }

    /// Calls `body` with each tensor's offset for every row in `rows`.
    pub fn for_rows(&self, rows: std::ops::Range<usize>, mut body: impl FnMut(usize, [usize; N])) {
        let mut index = [0usize; MAX_OUTER];
        let rank = self.outer.len();
        assert!(rank <= MAX_OUTER, "more dimensions than kernels take");
        let mut offset = [0usize; N];
        let mut rest = rows.start;
        for d in (0..rank).rev() {
            let (size, step) = self.outer[d];
            index[d] = rest % size;
            rest /= size;
            (0..N).for_each(|t| offset[t] += index[d] * step[t]);
        }
        for row in rows {
            body(row, offset);
            for d in (0..rank).rev() {
                let (size, step) = self.outer[d];
                index[d] += 1;
                if index[d] < size {
                    (0..N).for_each(|t| offset[t] += step[t]);
                    break;
                }
                index[d] = 0;
                (0..N).for_each(|t| offset[t] -= (size - 1) * step[t]);
            }
        }
    }
}

/// Dimensions a nest can have after merging, the row apart.
const MAX_OUTER: usize = 15;

/// Row-major strides of `shape`, in elements.
pub fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for d in (1..shape.len()).rev() {
        strides[d - 1] = strides[d] * shape[d];
    }
    strides
}

/// Strides by which a dense tensor of `shape` is read as `out`, numpy's broadcasting: 0 where it repeats.
/// `None` when it cannot be broadcast to it.
pub fn broadcast_strides(shape: &[usize], out: &[usize]) -> Option<Vec<usize>> {
    let lead = out.len().checked_sub(shape.len())?;
    let dense = row_major(shape);
    let mut strides = vec![0; out.len()];
    for (d, &size) in shape.iter().enumerate() {
        if size == out[lead + d] {
            strides[lead + d] = if size == 1 { 0 } else { dense[d] };
        } else if size != 1 {
            return None;
        }
    }
    Some(strides)
}

/// The shape two shapes broadcast to; `None` when they do not.
pub fn broadcast_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |s: &[usize], d: usize| (d + s.len()).checked_sub(rank).map_or(1, |i| s[i]);
    (0..rank)
        .map(|d| match (at(a, d), at(b, d)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_dimensions_merge_and_broadcast_ones_do_not() {
        let shape = [2, 3, 4, 5];
        let (a, b) = (row_major(&shape), broadcast_strides(&[4, 5], &shape).unwrap());
        let loops = Loops::new(&shape, [&a, &b]);
        assert_eq!((loops.rows(), loops.row, loops.steps), (6, 20, [1, 1]));
        let channel = broadcast_strides(&[3, 1, 1], &shape).unwrap();
        let loops = Loops::new(&shape, [&a, &channel]);
        assert_eq!((loops.rows(), loops.row, loops.steps), (6, 20, [1, 0]));
        let mut seen = Vec::new();
        loops.for_rows(1..5, |row, [a, b]| seen.push((row, a, b)));
        assert_eq!(seen, [(1, 20, 1), (2, 40, 2), (3, 60, 0), (4, 80, 1)]);
    }

    #[test]
    fn shapes_broadcast_as_numpy_does() {
        assert_eq!(broadcast_shape(&[2, 1, 3], &[4, 1]), Some(vec![2, 4, 3]));
        assert_eq!(broadcast_shape(&[2], &[3]), None);
        assert_eq!(broadcast_strides(&[3], &[2]), None);
    }
}
