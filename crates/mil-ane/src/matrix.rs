//! Matrices as the arithmetics take and give them.

use std::fmt;

/// A dense row-major matrix of `f32` values.
///
/// The arithmetics round operands to fp16 on the way in, so that an operand read from fp16 and one that a `cast` inside the program rounds
/// are treated alike. Results are fp16 values held in `f32`.
#[derive(Clone, PartialEq, Debug)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// A matrix of these values, row after row. Error: their number is not `rows * cols`.
    pub fn new(rows: usize, cols: usize, values: Vec<f32>) -> Result<Self, ShapeError> {
        if rows.checked_mul(cols) != Some(values.len()) {
            return Err(ShapeError(format!(
                "{rows} x {cols} elements were announced, {} were given",
                values.len()
            )));
        }
        Ok(Self { rows, cols, values })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The elements, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The matrix with rows and columns exchanged.
    pub fn transposed(&self) -> Self {
        let values =
            (0..self.cols).flat_map(|c| self.values.iter().skip(c).step_by(self.cols.max(1)).copied());
        Self { rows: self.cols, cols: self.rows, values: values.collect() }
    }

    /// The matrix with `f` applied to each element.
    pub(crate) fn map(self, f: impl FnMut(f32) -> f32) -> Self {
        Self { values: self.values.into_iter().map(f).collect(), ..self }
    }

    /// The rows, one slice each. A matrix without columns has none.
    pub(crate) fn by_row(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.cols.max(1))
    }
}

/// Operands or results whose shapes do not fit each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShapeError(pub(crate) String);

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ShapeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_held_to() {
        assert!(Matrix::new(2, 3, vec![0.0; 5]).is_err());
        assert!(Matrix::new(usize::MAX, 2, vec![]).is_err());
        let m = Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!(m.transposed().values(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(m.transposed().transposed(), m);
    }
}
