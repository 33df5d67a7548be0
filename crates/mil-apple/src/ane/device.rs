//! `_ANEDeviceInfo`: which engine is here.

use crate::error::BridgeError;
use crate::objc::probe::class;
use crate::objc::{Obj, autoreleasepool, ns};
use crate::send;

/// What the framework says of the engine. The doubles say that there is none, of the architecture `double`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Is there one?
    pub present: bool,
    /// The chip's family and variant, `h16g`.
    pub architecture: String,
    /// Engines.
    pub engines: u32,
    /// Cores of each.
    pub cores: u32,
    /// The board's number.
    pub board: i64,
    /// Is the system a guest?
    pub virtual_machine: bool,
}

/// Asks.
pub fn device() -> Result<Device, BridgeError> {
    let info = class("_ANEDeviceInfo")?;
    autoreleasepool(|_| {
        let architecture = send!("+[_ANEDeviceInfo aneArchitectureType]", "@@:", [info, aneArchitectureType] -> Option<Obj>)?;
        Ok(Device {
            present: send!("+[_ANEDeviceInfo hasANE]", "B@:", [info, hasANE] -> bool)?,
            architecture: ns::to_string(architecture.as_deref()),
            engines: send!("+[_ANEDeviceInfo numANEs]", "I@:", [info, numANEs] -> u32)?,
            cores: send!("+[_ANEDeviceInfo numANECores]", "I@:", [info, numANECores] -> u32)?,
            board: send!("+[_ANEDeviceInfo aneBoardType]", "q@:", [info, aneBoardType] -> i64)?,
            virtual_machine: send!("+[_ANEDeviceInfo isVirtualMachine]", "B@:", [info, isVirtualMachine] -> bool)?,
        })
    })
}
