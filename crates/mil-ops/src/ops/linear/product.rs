//! A batched matrix product as sizes and steps: what `matmul` and `einsum` are, whatever way their operands lie.

use mil_base::tensor::count;

/// `out[b, i, j] = sum over l of x[b, i, l] * y[b, l, j]`, the batch axes broadcast.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Product {
    /// Sizes of the batch axes.
    pub(super) batch: Vec<usize>,
    /// Rows of `x` and of the result.
    pub(super) m: usize,
    /// Columns of `x`, rows of `y`.
    pub(super) k: usize,
    /// Columns of `y` and of the result.
    pub(super) n: usize,
    /// How `x` lies.
    pub(super) x: Operand,
    /// How `y` lies.
    pub(super) y: Operand,
    /// How the result lies.
    pub(super) out: Operand,
}

/// Steps, in elements, of a stack of matrices in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Operand {
    /// Along each batch axis; 0 where it is broadcast.
    pub(super) batch: Vec<usize>,
    /// From a row to the next.
    pub(super) row: usize,
    /// From a column to the next.
    pub(super) column: usize,
}

impl Product {
    /// The product of two tensors of these sizes; nothing if they do not fit each other.
    pub(super) fn of_matmul(
        x: &[usize],
        y: &[usize],
        transpose_x: bool,
        transpose_y: bool,
    ) -> Option<Product> {
        let (x_batch, x_matrix) = matrix(x, transpose_x && x.len() > 1, true)?;
        let (y_batch, y_matrix) = matrix(y, transpose_y && y.len() > 1, false)?;
        let ((m, k), (k2, n)) = (x_matrix.sizes, y_matrix.sizes);
        let rank = x_batch.len().max(y_batch.len());
        let (xb, yb) = (extend(x_batch, rank), extend(y_batch, rank));
        let fits = k == k2 && xb.iter().zip(&yb).all(|(&a, &b)| a == b || a == 1 || b == 1);
        if !fits {
            return None;
        }
        let batch: Vec<usize> = xb.iter().zip(&yb).map(|(&a, &b)| if a == 1 { b } else { a }).collect();
        let x = Operand { batch: steps(&xb, m.checked_mul(k)?)?, row: x_matrix.row, column: x_matrix.column };
        let y = Operand { batch: steps(&yb, k.checked_mul(n)?)?, row: y_matrix.row, column: y_matrix.column };
        let out = Operand { batch: steps(&batch, m.checked_mul(n)?)?, row: n, column: 1 };
        Some(Product { batch, m, k, n, x, y, out })
    }

    /// The offsets, in elements, of the matrices of `x`, `y` and the result, for every batch in turn.
    pub(super) fn offsets(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        (0..count(&self.batch).unwrap_or(0)).map(|flat| {
            let (mut rest, mut at) = (flat, (0, 0, 0));
            for (axis, &size) in self.batch.iter().enumerate().rev() {
                let i = rest % size;
                rest /= size;
                at.0 += i * self.x.batch[axis];
                at.1 += i * self.y.batch[axis];
                at.2 += i * self.out.batch[axis];
            }
            at
        })
    }

    /// Elements of the result.
    pub(super) fn count(&self) -> Option<usize> {
        count(&self.batch)?.checked_mul(self.m)?.checked_mul(self.n)
    }

    /// The product, with any arithmetic: `add(sum, a, b)` is `sum + a * b`.
    pub(super) fn compute<T: Copy>(&self, x: &[T], y: &[T], zero: T, add: impl Fn(T, T, T) -> T) -> Vec<T> {
        let mut out = vec![zero; self.count().unwrap_or(0)];
        for (at_x, at_y, at_out) in self.offsets() {
            for i in 0..self.m {
                for j in 0..self.n {
                    let mut sum = zero;
                    for l in 0..self.k {
                        let a = x[at_x + i * self.x.row + l * self.x.column];
                        let b = y[at_y + l * self.y.row + j * self.y.column];
                        sum = add(sum, a, b);
                    }
                    out[at_out + i * self.out.row + j * self.out.column] = sum;
                }
            }
        }
        out
    }
}

struct Matrix {
    sizes: (usize, usize),
    row: usize,
    column: usize,
}

/// The batch axes and the matrix of a shape; a vector is a row on the left and a column on the right.
fn matrix(shape: &[usize], transposed: bool, left: bool) -> Option<(&[usize], Matrix)> {
    Some(match shape {
        [] => return None,
        [k] if left => (&[], Matrix { sizes: (1, *k), row: *k, column: 1 }),
        [k] => (&[], Matrix { sizes: (*k, 1), row: 1, column: 1 }),
        [batch @ .., a, b] if transposed => (batch, Matrix { sizes: (*b, *a), row: 1, column: *b }),
        [batch @ .., a, b] => (batch, Matrix { sizes: (*a, *b), row: *b, column: 1 }),
    })
}

fn extend(batch: &[usize], rank: usize) -> Vec<usize> {
    let mut sizes = vec![1; rank - batch.len()];
    sizes.extend(batch);
    sizes
}

fn steps(batch: &[usize], matrix: usize) -> Option<Vec<usize>> {
    let mut steps = vec![0; batch.len()];
    let mut step = matrix;
    for (axis, &size) in batch.iter().enumerate().rev() {
        steps[axis] = if size == 1 { 0 } else { step };
        step = step.checked_mul(size)?;
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_steps() {
        let p = Product::of_matmul(&[10, 4, 3], &[5, 10, 3, 2], false, false).unwrap();
        assert_eq!((p.batch.as_slice(), p.m, p.k, p.n), (&[5, 10][..], 4, 3, 2));
        assert_eq!((p.x.batch.as_slice(), p.y.batch.as_slice()), (&[0, 12][..], &[60, 6][..]));
        assert_eq!(p.offsets().nth(11), Some((12, 66, 88)));
        let p = Product::of_matmul(&[3, 4], &[3, 5], true, false).unwrap();
        assert_eq!((p.m, p.k, p.n, p.x.row, p.x.column), (4, 3, 5, 1, 4));
        assert!(Product::of_matmul(&[2, 3, 4], &[3, 4, 5], false, false).is_none());
        assert!(Product::of_matmul(&[], &[4, 5], false, false).is_none());
    }
}
