//! The public framework.

use crate::error::BridgeError;
use mil_run::Runtime;

/// The runtime `coreml`.
pub fn runtime() -> Result<Box<dyn Runtime>, BridgeError> {
    Err(BridgeError::NotHere { wanted: "coreml" })
}
