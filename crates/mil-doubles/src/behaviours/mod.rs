//! What each family of doubles is known to do.

pub(crate) mod ane;
pub(crate) mod coreml;
