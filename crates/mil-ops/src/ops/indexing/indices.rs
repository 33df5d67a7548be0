//! Which indices an op takes, and what those outside an axis do.

use crate::contract::*;
use crate::support::args::Args;
use mil_base::{DType, DTypes, Dim, Opset};

/// The tensor that is read, in iOS 15 and 16.
pub const X: Param = Param::tensor("x", sets::NUMBER).group("T");
/// The tensor that is read, from iOS 17 on.
pub const X_17: Param = Param::tensor("x", sets::NUMBER_17).group("T");
/// The indices of iOS 15; where something is written, of every opset.
pub const INDICES: Param = Param::tensor("indices", sets::INT32);
/// The indices of iOS 16.
pub const INDICES_16: Param =
    Param::tensor("indices", DTypes::of(&[DType::Int16, DType::Int32, DType::UInt16])).group("I");
/// The indices from iOS 17 on.
pub const INDICES_17: Param = Param::tensor(
    "indices",
    DTypes::of(&[DType::Int8, DType::Int16, DType::Int32, DType::UInt8, DType::UInt16]),
)
.group("I");
/// The axis that is indexed.
pub const AXIS: Param = Param::constant("axis", sets::INT32).or(Default::Int(0));
/// How many first dimensions `x` and `indices` share, from iOS 16 on.
pub const BATCH_DIMS: Param = Param::constant("batch_dims", sets::INT32).or(Default::Int(0));
/// Do indices outside fail, from iOS 17 on?
pub const VALIDATE: Param = Param::constant("validate_indices", sets::BOOL).or(Default::Bool(false));

/// The value of [`BATCH_DIMS`] in a program that is checked, 0 in opsets without it.
pub(super) fn need_batch_dims(cx: &mut Infer<'_>) -> Result<i64, Refused> {
    cx.version.param("batch_dims").map_or(Ok(0), |_| cx.need_int("batch_dims"))
}

/// The value of [`BATCH_DIMS`] once it is checked, 0 in opsets without it.
pub(super) fn batch_dims(version: &Version, args: &impl Args) -> i64 {
    version.param("batch_dims").and_then(|_| args.get_int("batch_dims")).unwrap_or(0)
}

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
    pub(super) fn of(version: &Version, args: &impl Args, writes: bool) -> Outside {
        let validates =
            version.param("validate_indices").is_some() && args.get_bool("validate_indices") == Some(true);
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

/// The known indices, each with the size of the axis; none while either is unknown.
pub(super) fn known_along(cx: &Infer<'_>, axis: Dim) -> impl Iterator<Item = (i64, usize)> + use<> {
    let known = axis.known().and_then(|n| Some((n, cx.ints("indices")?)));
    known.into_iter().flat_map(|(n, indices)| indices.into_iter().map(move |i| (i, n)))
}

/// Reports the first of the known indices that is out of its range; each comes with the size of its axis.
pub(super) fn check_known(
    cx: &mut Infer<'_>,
    slug: &'static str,
    writes: bool,
    known: impl Iterator<Item = (i64, usize)>,
) -> Result<(), Refused> {
    const HELP: &str = "indices go from 0 to size - 1; negative ones count from the end before iOS 17 only";
    if cx.version.param("validate_indices").is_some() {
        cx.need_bool("validate_indices")?;
    }
    let outside = Outside::of(cx.version, &cx.view(), writes);
    if let Some(wrong) = { known }.find_map(|(index, n)| outside.place(index, n).err()) {
        cx.report(slug, "indices", wrong.message(), HELP);
    }
    Ok(())
}

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
