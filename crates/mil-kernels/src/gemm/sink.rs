//! Where finished strips go: straight, or transposed, through the epilogue into the output.

use super::engine::Sink;
use crate::epilogue::{Finish, Segment};
use crate::view::SharedFloats;

/// Stores a strip's rows as rows of the output.
pub(crate) struct Direct<'a> {
    pub(crate) out: SharedFloats<'a>,
    pub(crate) finish: Finish<'a>,
    /// Offset of the product's first element in the output, and in operands of its shape.
    pub(crate) base: usize,
    /// Added to the row for operands along rows: the first channel of a group.
    pub(crate) first_row: usize,
}

impl Sink for Direct<'_> {
    const GROUP: usize = 1;

    fn store(&self, row: usize, rows: usize, column: usize, columns: usize, tile: &mut [f32], stride: usize) {
        for (r, values) in tile.chunks_mut(stride).take(rows).enumerate() {
            let row = self.first_row + row + r;
            let values = &mut values[..columns];
            self.finish.apply(Segment { row, column, base: self.base }, values);
            // SAFETY: strips are disjoint, hence these parts of output rows.
            unsafe { self.out.write(self.base + row * self.finish.width + column, values) };
        }
    }
}

/// Stores a strip's rows as columns of the output.
pub(crate) struct Transposed<'a> {
    pub(crate) out: SharedFloats<'a>,
    pub(crate) finish: Finish<'a>,
    pub(crate) base: usize,
}

impl Sink for Transposed<'_> {
    const GROUP: usize = 4;

    fn store(&self, row: usize, rows: usize, column: usize, columns: usize, tile: &mut [f32], stride: usize) {
        let mut lines = [[0f32; 48]; 16];
        let mut block = [[0f32; 16]; 16];
        for c0 in (0..columns).step_by(16) {
            let width = 16.min(columns - c0);
            for r0 in (0..rows).step_by(16) {
                let depth = 16.min(rows - r0);
                for (r, line) in block[..depth].iter_mut().enumerate() {
                    line[..width].copy_from_slice(&tile[(r0 + r) * stride + c0..][..width]);
                }
                crate::transpose::sixteen(&mut block);
                for (line, b) in lines[..width].iter_mut().zip(&block) {
                    line[r0..r0 + 16].copy_from_slice(b);
                }
            }
            for (c, line) in lines[..width].iter_mut().enumerate() {
                let values = &mut line[..rows];
                let token = column + c0 + c;
                self.finish.apply(Segment { row: token, column: row, base: self.base }, values);
                // SAFETY: strips are disjoint, hence these parts of output rows.
                unsafe { self.out.write(self.base + token * self.finish.width + row, values) };
            }
        }
    }
}
