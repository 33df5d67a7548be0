//! How to run.

/// How a program is loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Threads of the cpu runtime, at least one. The reference uses one.
    pub threads: usize,
    /// Bytes a program may take (constants in mapped weight files not counted); more is refused before allocating.
    pub memory_limit: Option<usize>,
    /// Fuse element-wise ops into the kernels that make their inputs. Results of fp16 programs are the same bit for bit.
    pub fusion: bool,
}

impl Default for Options {
    /// One thread, no limit, fused.
    fn default() -> Self {
        Options { threads: 1, memory_limit: None, fusion: true }
    }
}
