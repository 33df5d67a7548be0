//! Which block of a tensor each element belongs to.

/// A tensor cut into equal blocks that are numbered in row-major order, seen as rows as long as can be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Tiles {
    /// Size, size of a block and distance between the numbers of blocks, for each dimension but the last.
    outer: Vec<[usize; 3]>,
    /// Elements of a row.
    pub(super) width: usize,
    /// Elements of a row that are in one block; the next ones are in the block with the next number.
    pub(super) block: usize,
}

/// Neighbouring elements of one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// The first element.
    pub(super) start: usize,
    /// How many there are.
    pub(super) len: usize,
    /// The number of their block.
    pub(super) block: usize,
}

impl Tiles {
    /// A tensor of sizes `shape` with `counts` blocks along each dimension; `None` unless they divide it.
    pub(super) fn new(shape: &[usize], counts: &[usize]) -> Option<Tiles> {
        let fits = |(&n, &count): (&usize, &usize)| count > 0 && n.is_multiple_of(count);
        if shape.is_empty() || shape.len() != counts.len() || !shape.iter().zip(counts).all(fits) {
            return None;
        }
        // Neighbouring dimensions become one where the inner one is not cut, or the outer one is cut into single places.
        let mut merged: Vec<[usize; 2]> = Vec::new();
        for (&n, &count) in shape.iter().zip(counts) {
            match merged.last_mut() {
                Some([size, blocks]) if count == 1 || size == blocks => {
                    *size *= n;
                    *blocks *= count;
                }
                _ => merged.push([n, count]),
            }
        }
        let [width, count] = merged.pop()?;
        let mut stride = count;
        let mut outer: Vec<[usize; 3]> = Vec::new();
        for &[n, count] in merged.iter().rev() {
            outer.push([n, n / count, stride]);
            stride *= count;
        }
        outer.reverse();
        Some(Tiles { outer, width, block: width / count })
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.outer.iter().map(|d| d[0]).product()
    }

    /// The number of the first block of a row.
    pub(super) fn first_block(&self, row: usize) -> usize {
        let (mut rest, mut number) = (row, 0);
        for &[size, block, stride] in self.outer.iter().rev() {
            number += rest % size / block * stride;
            rest /= size;
        }
        number
    }

    /// How many pieces of at most `most` elements there are.
    pub(super) fn pieces(&self, most: usize) -> usize {
        match self.block {
            0 => 0,
            block => self.rows() * (self.width / block) * block.div_ceil(most),
        }
    }

    /// A piece by its number below [`Tiles::pieces`].
    pub(super) fn piece(&self, most: usize, number: usize) -> Piece {
        let (each, per_row) = (self.block.div_ceil(most), self.width / self.block);
        let (part, at) = (number % each, number / each);
        let (row, within) = (at / per_row, at % per_row);
        let start = row * self.width + within * self.block + part * most;
        Piece { start, len: most.min(self.block - part * most), block: self.first_block(row) + within }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_long_as_can_be() {
        let rows = |shape: &[usize], counts: &[usize]| {
            let tiles = Tiles::new(shape, counts).unwrap();
            (tiles.rows(), tiles.width, tiles.block)
        };
        assert_eq!(rows(&[8, 6, 3, 3], &[1, 1, 1, 1]), (1, 432, 432));
        assert_eq!(rows(&[8, 6, 3, 3], &[4, 1, 1, 1]), (1, 432, 108));
        assert_eq!(rows(&[8, 64], &[8, 2]), (1, 512, 32));
        assert_eq!(rows(&[8, 64], &[2, 64]), (8, 64, 1));
        assert_eq!(rows(&[1, 64], &[1, 4]), (1, 64, 16));
        assert_eq!(Tiles::new(&[8, 6], &[3, 1]), None);
        assert_eq!(Tiles::new(&[8, 6], &[0, 1]), None);
        assert_eq!(Tiles::new(&[], &[]), None);
    }

    #[test]
    fn pieces_cover_every_element_with_its_block() {
        for (shape, counts) in [
            ([4, 6, 10], [2, 3, 5]),
            ([4, 6, 10], [1, 6, 2]),
            ([4, 6, 10], [4, 1, 1]),
            ([4, 0, 3], [1, 2, 1]),
        ] {
            let tiles = Tiles::new(&shape, &counts).unwrap();
            for most in [1, 3, 64] {
                let mut next = 0;
                for number in 0..tiles.pieces(most) {
                    let piece = tiles.piece(most, number);
                    assert_eq!(piece.start, next);
                    for i in piece.start..piece.start + piece.len {
                        let at = [i / (shape[1] * shape[2]), i / shape[2] % shape[1], i % shape[2]];
                        let want = (0..3).fold(0, |n, d| n * counts[d] + at[d] / (shape[d] / counts[d]));
                        assert_eq!(piece.block, want);
                    }
                    next += piece.len;
                }
                assert_eq!(next, shape.iter().product::<usize>());
            }
        }
    }
}
