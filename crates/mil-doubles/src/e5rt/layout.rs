//! Where a port's elements lie in its buffer.

use super::handle::Fault;
use crate::behaviour;
use crate::program::Port;

/// Rows are padded to this.
const ROW: usize = 64;
/// What the engine leaves in the padding: anything.
const PADDING: u8 = 0xEE;

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Layout {
    pub(super) shape: Vec<usize>,
    /// In bytes.
    pub(super) strides: Vec<usize>,
    /// Bytes of an element.
    pub(super) element: usize,
    /// Bytes from the first to behind the last row.
    pub(super) bytes: usize,
}

impl Layout {
    pub(super) fn of(port: &Port) -> Result<Layout, Fault> {
        let fault = || Fault { status: 6, text: format!("double: `{}` has no layout", port.name) };
        let element =
            port.dtype.bytes_for(1).filter(|_| port.dtype.bits().is_multiple_of(8)).ok_or_else(fault)?;
        let mut strides = vec![element; port.shape.len()];
        let mut bytes = element;
        for (axis, &size) in port.shape.iter().enumerate().rev() {
            strides[axis] = bytes;
            bytes = bytes.checked_mul(size).ok_or_else(fault)?;
            let last = axis + 1 == port.shape.len();
            if last && axis > 0 && behaviour::is_on("e5rt/padded-rows") {
                bytes = bytes.checked_next_multiple_of(ROW).ok_or_else(fault)?;
            }
        }
        Ok(Layout { shape: port.shape.clone(), strides, element, bytes })
    }

    /// Calls `row` with the place of every row in the buffer and in the packed tensor.
    fn rows(&self, mut row: impl FnMut(usize, usize)) -> usize {
        let Some((&width, outer)) = self.shape.split_last() else {
            row(0, 0);
            return self.element;
        };
        let width = width * self.element;
        if width == 0 || outer.contains(&0) {
            return 0;
        }
        let mut index = vec![0; outer.len()];
        for packed in (0..).step_by(width) {
            row(index.iter().zip(&self.strides).map(|(i, s)| i * s).sum(), packed);
            let Some(axis) = (0..outer.len()).rev().find(|&a| index[a] + 1 < outer[a]) else { break };
            index[axis] += 1;
            index[axis + 1..].fill(0);
        }
        width
    }

    /// The packed bytes of what a buffer holds.
    pub(super) fn pack(&self, buffer: &[u8]) -> Vec<u8> {
        let mut places = Vec::new();
        let width = self.rows(|place, _| places.push(place));
        places.iter().filter(|_| width > 0).flat_map(|&p| buffer[p..p + width].iter().copied()).collect()
    }

    /// Spreads packed bytes over a buffer.
    pub(super) fn unpack(&self, packed: &[u8], buffer: &mut [u8]) {
        buffer[..self.bytes].fill(PADDING);
        let mut places = Vec::new();
        let width = self.rows(|place, from| places.push((place, from)));
        for (place, from) in places {
            buffer[place..place + width].copy_from_slice(&packed[from..from + width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::DType;

    #[test]
    fn rows_are_spread_and_gathered() {
        for shape in [vec![], vec![3], vec![2, 3], vec![2, 1, 2, 33], vec![2, 0]] {
            let port = Port { name: "x".into(), dtype: DType::Fp16, shape };
            let layout = Layout::of(&port).unwrap();
            let packed: Vec<u8> = (0..port.bytes().unwrap()).map(|i| i as u8).collect();
            let mut buffer = vec![0; layout.bytes];
            layout.unpack(&packed, &mut buffer);
            assert_eq!(layout.pack(&buffer), packed, "{layout:?}");
        }
    }

    #[test]
    fn the_last_axis_is_padded() {
        let port = Port { name: "x".into(), dtype: DType::Fp16, shape: vec![2, 3, 33] };
        let layout = Layout::of(&port).unwrap();
        assert_eq!((layout.strides, layout.bytes), (vec![384, 128, 2], 768));
    }
}
