//! How a step ended.

use crate::error::BridgeError;
use std::fmt;

/// How a step ended.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// YES.
    Yes,
    /// NO, or nil, and no error.
    No,
    /// NO and an error of the framework.
    Failed {
        /// Its domain.
        domain: String,
        /// Its code; 15 is "chaining prepare".
        code: i64,
        /// Its words.
        description: String,
    },
    /// An exception.
    Threw {
        /// Its name.
        name: String,
        /// Its reason, which names the method that was missing.
        reason: String,
    },
    /// The step could not be tried: a class or method is not there, or not as we know it.
    Untried(BridgeError),
}

impl Outcome {
    /// The error's code, if it failed with one.
    pub fn code(&self) -> Option<i64> {
        match self {
            Outcome::Failed { code, .. } => Some(*code),
            _ => None,
        }
    }
}

impl From<BridgeError> for Outcome {
    fn from(error: BridgeError) -> Outcome {
        match error {
            BridgeError::Null { .. } => Outcome::No,
            BridgeError::Cocoa { domain, code, description, .. } => {
                Outcome::Failed { domain, code, description }
            }
            BridgeError::Exception { name, reason, .. } => Outcome::Threw { name, reason },
            other => Outcome::Untried(other),
        }
    }
}

impl From<Result<(), BridgeError>> for Outcome {
    fn from(result: Result<(), BridgeError>) -> Outcome {
        result.map_or_else(Outcome::from, |()| Outcome::Yes)
    }
}

impl From<Result<bool, BridgeError>> for Outcome {
    fn from(result: Result<bool, BridgeError>) -> Outcome {
        result.map_or_else(Outcome::from, |yes| if yes { Outcome::Yes } else { Outcome::No })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Yes => f.write_str("YES"),
            Outcome::No => f.write_str("NO, without an error"),
            Outcome::Failed { domain, code, description } => write!(f, "{domain} {code}: {description}"),
            Outcome::Threw { name, reason } => write!(f, "threw {name}: {reason}"),
            Outcome::Untried(error) => write!(f, "not tried: {error}"),
        }
    }
}
