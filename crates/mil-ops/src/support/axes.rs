//! Lists of axes as arguments: negative ones counted from the end, none named twice.

use crate::contract::{Failure, Infer, Refused};

/// The axes in `0..rank`, ascending, or the constraint `slug` is broken by the argument `name`.
pub fn infer(
    cx: &mut Infer<'_>,
    slug: &'static str,
    name: &str,
    listed: &[i64],
    rank: usize,
) -> Result<Vec<usize>, Refused> {
    let mut axes = Vec::new();
    for &listed in listed {
        let axis = cx.axis(slug, name, listed, rank)?;
        if axes.contains(&axis) {
            let message = format!("axis {axis} of `{name}` is named twice");
            return Err(cx.refuse(slug, name, message, "name each axis once"));
        }
        axes.push(axis);
    }
    axes.sort_unstable();
    Ok(axes)
}

/// One axis in `0..rank`, for rules that run on concrete values.
pub fn resolve(axis: i64, rank: usize) -> Result<usize, Failure> {
    let from_start = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    from_start.and_then(|a| usize::try_from(a).ok()).filter(|&a| a < rank).ok_or_else(|| {
        Failure::new("op/axis-out-of-range", format!("axis {axis} is out of range for rank {rank}"))
    })
}

/// Sizes before, along and after an axis: element `(o, a, i)` lies at `(o * along + a) * after + i`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Around {
    /// Product of the sizes before the axis.
    pub before: usize,
    /// Size of the axis.
    pub along: usize,
    /// Product of the sizes after the axis.
    pub after: usize,
}

impl Around {
    /// The sizes around `axis`, which is below the rank.
    pub fn new(shape: &[usize], axis: usize) -> Around {
        let product = |s: &[usize]| s.iter().product();
        Around {
            before: product(shape.get(..axis).unwrap_or_default()),
            along: shape.get(axis).copied().unwrap_or(1),
            after: product(shape.get(axis + 1..).unwrap_or_default()),
        }
    }

    /// Position of the first element of each line along the axis; the others follow in steps of `after`.
    pub fn lines(self) -> impl Iterator<Item = usize> {
        (0..self.before).flat_map(move |o| (0..self.after).map(move |i| o * self.along * self.after + i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_count_from_either_end() {
        assert_eq!(resolve(-1, 3).unwrap(), 2);
        assert_eq!(resolve(0, 3).unwrap(), 0);
        assert!(resolve(3, 3).is_err() && resolve(-4, 3).is_err() && resolve(i64::MIN, 3).is_err());
        assert!(resolve(0, 0).is_err());
    }

    #[test]
    fn lines_start_where_the_axis_is_zero() {
        let around = Around::new(&[2, 3, 2], 1);
        assert_eq!(around, Around { before: 2, along: 3, after: 2 });
        assert_eq!(around.lines().collect::<Vec<_>>(), [0, 1, 6, 7]);
    }
}
