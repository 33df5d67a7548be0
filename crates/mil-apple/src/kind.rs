//! The runtimes by name.

use crate::error::BridgeError;
use mil_run::Runtime;
use std::fmt;

/// Which way to the machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// The public framework.
    CoreMl,
    /// Core ML's engine for ML Programs, from text.
    Mle5,
    /// The C interface beneath it.
    E5rt,
    /// The Neural Engine's framework, in memory.
    Ane,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::CoreMl, Kind::Mle5, Kind::E5rt, Kind::Ane];

    /// As `--runtime` has it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::CoreMl => "coreml",
            Kind::Mle5 => "mle5",
            Kind::E5rt => "e5rt",
            Kind::Ane => "ane",
        }
    }
}

impl Kind {
    /// As its runtime calls itself: marked when the doubles are underneath.
    pub fn runtime_name(self) -> &'static str {
        match self {
            Kind::CoreMl => crate::runtime_name!("coreml"),
            Kind::Mle5 => crate::runtime_name!("mle5"),
            Kind::E5rt => crate::runtime_name!("e5rt"),
            Kind::Ane => crate::runtime_name!("ane"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The runtime of that kind.
///
/// Errors: [`BridgeError::NotHere`] off a Mac without the doubles; a missing framework, class or selector.
pub fn runtime(kind: Kind) -> Result<Box<dyn Runtime>, BridgeError> {
    #[cfg(bridge)]
    return match kind {
        Kind::CoreMl => crate::coreml::runtime(),
        Kind::Mle5 => crate::mle5::runtime(),
        Kind::E5rt => crate::e5rt::runtime(),
        Kind::Ane => crate::ane::runtime(),
    };
    #[cfg(not(bridge))]
    Err(BridgeError::NotHere { wanted: kind.name() })
}
