//! Shared events: fences between the engine and other devices. They construct; attached to a request they make the
//! evaluation hang (M3 Max) or crash (M5 Max), so that it belongs into a worker (`facts/ane-facts.md` 1.6).

use crate::error::BridgeError;
use crate::objc::probe::class;
use crate::objc::{AnyObject, Obj, ns, object};
use crate::platform;
use crate::send;

/// An event that several devices can signal and wait for: a Metal shared event.
#[derive(Debug)]
pub struct SharedEvent(Obj);

impl SharedEvent {
    /// A new one, of the system's first graphics device.
    pub fn new() -> Result<SharedEvent, BridgeError> {
        platform::shared_event().map(SharedEvent)
    }
}

/// An event that the engine signals.
#[derive(Debug)]
pub struct SignalEvent(Obj);

impl SignalEvent {
    /// Signals `value` when the symbol is done. `kind` is 0 to 5, of which experiment G tried 0 to 2.
    pub fn new(value: u64, symbol: u32, kind: i64, event: &SharedEvent) -> Result<SignalEvent, BridgeError> {
        const CALL: &str = "+[_ANESharedSignalEvent signalEventWithValue:symbolIndex:eventType:sharedEvent:]";
        let factory = class("_ANESharedSignalEvent")?;
        let made = send!(
            "+[_ANESharedSignalEvent signalEventWithValue:symbolIndex:eventType:sharedEvent:]",
            "@@:QIq@",
            [factory, signalEventWithValue: value, symbolIndex: symbol, eventType: kind, sharedEvent: &*event.0] -> Option<Obj>)?;
        object(CALL, made, None).map(SignalEvent)
    }

    /// The object.
    pub fn object(&self) -> &AnyObject {
        &self.0
    }
}

/// An event that the engine waits for.
#[derive(Debug)]
pub struct WaitEvent(Obj);

impl WaitEvent {
    /// Waits for `value`.
    pub fn new(value: u64, event: &SharedEvent) -> Result<WaitEvent, BridgeError> {
        const CALL: &str = "+[_ANESharedWaitEvent waitEventWithValue:sharedEvent:]";
        let factory = class("_ANESharedWaitEvent")?;
        let made = send!("+[_ANESharedWaitEvent waitEventWithValue:sharedEvent:]", "@@:Q@", [
            factory, waitEventWithValue: value, sharedEvent: &*event.0
        ] -> Option<Obj>)?;
        object(CALL, made, None).map(WaitEvent)
    }
}

/// The events of a request.
#[derive(Debug)]
pub struct SharedEvents(Obj);

impl SharedEvents {
    /// These.
    pub fn new(signals: &[SignalEvent], waits: &[WaitEvent]) -> Result<SharedEvents, BridgeError> {
        const CALL: &str = "+[_ANESharedEvents sharedEventsWithSignalEvents:waitEvents:]";
        let factory = class("_ANESharedEvents")?;
        let signals = ns::array(signals.iter().map(|e| &*e.0));
        let waits = ns::array(waits.iter().map(|e| &*e.0));
        let made = send!("+[_ANESharedEvents sharedEventsWithSignalEvents:waitEvents:]", "@@:@@", [
            factory, sharedEventsWithSignalEvents: &*signals, waitEvents: &*waits
        ] -> Option<Obj>)?;
        object(CALL, made, None).map(SharedEvents)
    }

    /// The object.
    pub fn object(&self) -> &AnyObject {
        &self.0
    }
}
