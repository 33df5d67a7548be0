//! The C interface beneath Core ML.

use crate::error::BridgeError;
use mil_run::Runtime;

/// The runtime `e5rt`.
pub fn runtime() -> Result<Box<dyn Runtime>, BridgeError> {
    Err(BridgeError::NotHere { wanted: "e5rt" })
}
