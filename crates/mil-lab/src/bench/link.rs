//! The smallest chain of the research: one kernel, a buffer for its input, and a set of one buffer for its output.

use super::Stop;
use super::kernel::Kernel;
use mil_apple::ane::chaining::{Buffer, ChainingRequest, OutputSet, Parts};

/// A kernel with the objects that a request for a chain of it names.
pub(crate) struct Link {
    /// The kernel.
    pub(crate) kernel: Kernel,
    input: Buffer,
    /// Kept for its surface: the set names it.
    _output: Buffer,
    set: OutputSet,
}

impl Link {
    /// Around the smallest kernel. Both buffers have symbol 0 and source 0.
    pub(crate) fn new() -> Result<Link, Stop> {
        let kernel = Kernel::smallest(1)?;
        let (input, output) = (Buffer::new(kernel.bytes(), 0, 0)?, Buffer::new(kernel.bytes(), 0, 0)?);
        let set = OutputSet::new(&[&output])?;
        Ok(Link { kernel, input, _output: output, set })
    }

    /// The arguments of a request, each of the right kind.
    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts::new(vec![self.input.object()], vec![self.set.object()])
    }

    /// The request of [`Link::parts`].
    pub(crate) fn request(&self) -> Result<ChainingRequest, Stop> {
        Ok(ChainingRequest::new(&self.parts())?)
    }
}
