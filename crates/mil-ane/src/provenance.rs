//! How sure a fact is.

use std::fmt;

/// How sure a fact is. None of them was confirmed by us on hardware.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Confidence {
    /// Sources contradict each other; both sides are given.
    Contradicted,
    /// Inferred, or read from a decompiled binary only.
    Low,
    /// One measured source.
    Medium,
    /// Two independent sources agree, or one measured and one decompiled.
    High,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Confidence::Contradicted => "contradicted",
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        })
    }
}
