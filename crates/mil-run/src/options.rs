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
    /// How compressed weights are held. Results are the same bit for bit.
    pub weights: HeldWeights,
    /// Compressed weights that expand to at most so many bytes are expanded once in any case: they are parameters rather than
    /// weights, and kernels may want to know them.
    pub expand_up_to: usize,
}

/// How the cpu runtime holds weights that a program stores compressed (the results of `constexpr_*` ops).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HeldWeights {
    /// As they are stored: each is expanded in every run, right before the step that reads it, into memory that later steps
    /// use again. Small ones, those that a kernel must know beforehand, and those of functions with data-dependent sizes are
    /// expanded once.
    #[default]
    Compressed,
    /// Expanded once, when the program is planned, and kept: as much memory as if they had never been compressed.
    Expanded,
}

impl HeldWeights {
    /// Both ways.
    pub const ALL: [HeldWeights; 2] = [HeldWeights::Compressed, HeldWeights::Expanded];

    /// The word for it in options.
    pub fn name(self) -> &'static str {
        match self {
            HeldWeights::Compressed => "compressed",
            HeldWeights::Expanded => "expanded",
        }
    }
}

impl Default for Options {
    /// One thread, no limit, fused, compressed weights beyond 64 KiB held as they are.
    fn default() -> Self {
        Options {
            threads: 1,
            memory_limit: None,
            fusion: true,
            weights: HeldWeights::default(),
            expand_up_to: 64 << 10,
        }
    }
}
