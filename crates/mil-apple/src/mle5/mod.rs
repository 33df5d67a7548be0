//! Core ML's own engine for ML Programs, from text.

use crate::error::BridgeError;
use mil_run::Runtime;

/// The runtime `mle5`.
pub fn runtime() -> Result<Box<dyn Runtime>, BridgeError> {
    Err(BridgeError::NotHere { wanted: "mle5" })
}
