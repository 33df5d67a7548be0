//! Which indices an op takes, and what those outside an axis do.

use crate::contract::{Failure, Version};
use mil_base::{DType, DTypes, Opset};

/// Index types of iOS 16.
pub const INDICES_16: DTypes = DTypes::of(&[DType::Int16, DType::Int32, DType::UInt16]);
/// Index types from iOS 17 on.
pub const INDICES_17: DTypes =
    DTypes::of(&[DType::Int8, DType::Int16, DType::Int32, DType::UInt8, DType::UInt16]);

/// What an op does with an index outside `0..n`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outside {
    /// Before iOS 17: `-n..0` counts from the end, anything else fails.
    Wraps,
    /// iOS 17, `validate_indices`: fails, negative ones too.
    Fails,
    /// iOS 17 without: undefined but safe. We take `-n..0` from the end where nothing is written, as coremltools does
    /// when it folds constants; any other gives zero, and writes nothing.
    Reads,
    /// As `Reads`, for ops that write: nothing is written.
    Drops,
}

impl Outside {
    /// The behaviour of an op that reads (`gather`) or writes (`scatter`) by index.
    pub fn of(version: &Version, validates: bool, writes: bool) -> Outside {
        match (version.since >= Opset::Ios17, validates) {
            (false, _) => Outside::Wraps,
            (true, true) => Outside::Fails,
            (true, false) if writes => Outside::Drops,
            (true, false) => Outside::Reads,
        }
    }

    /// Can an index fail?
    pub fn checks(self) -> bool {
        matches!(self, Outside::Wraps | Outside::Fails)
    }

    /// The place in `0..n` that an index means; nothing for one that is ignored, and an error for one that is wrong.
    pub fn place(self, index: i64, n: usize) -> Result<Option<usize>, OutOfRange> {
        let wrapped = match self {
            Outside::Wraps | Outside::Reads if index < 0 => index.saturating_add(n as i64),
            _ => index,
        };
        match usize::try_from(wrapped) {
            Ok(at) if at < n => Ok(Some(at)),
            _ if matches!(self, Outside::Reads | Outside::Drops) => Ok(None),
            _ => Err(OutOfRange { index, n }),
        }
    }
}

/// An index outside an axis of `n` elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfRange {
    /// The index as given.
    pub index: i64,
    /// Elements of the axis.
    pub n: usize,
}

impl OutOfRange {
    /// What is wrong, as a sentence.
    pub fn message(&self) -> String {
        format!("index {} is out of range for an axis of {} elements", self.index, self.n)
    }

    /// As the failure of an execution.
    pub fn failure(&self, slug: &'static str) -> Failure {
        Failure::new(slug, self.message())
    }
}

/// What to do about a wrong index.
pub const HELP: &str = "indices go from 0 to size - 1; negative ones count from the end before iOS 17 only";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_outside_an_axis() {
        assert_eq!(Outside::Wraps.place(-1, 3), Ok(Some(2)));
        assert!(Outside::Wraps.place(3, 3).is_err() && Outside::Wraps.place(-4, 3).is_err());
        assert!(Outside::Fails.place(-1, 3).is_err());
        assert_eq!(Outside::Reads.place(-1, 3), Ok(Some(2)));
        assert_eq!(Outside::Reads.place(i64::MIN, 3), Ok(None));
        assert_eq!(Outside::Drops.place(-1, 3), Ok(None));
        assert!(Outside::Wraps.place(0, 0).is_err());
    }
}
