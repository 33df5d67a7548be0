//! The Neural Engine's own framework: programs in memory, compiled by `_ANEInMemoryModel`.

use crate::error::BridgeError;
use mil_run::Runtime;

/// The runtime `ane`.
pub fn runtime() -> Result<Box<dyn Runtime>, BridgeError> {
    Err(BridgeError::NotHere { wanted: "ane" })
}
