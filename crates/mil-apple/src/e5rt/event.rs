//! Events: numbers that only grow, which submitted operations raise and wait for (calls 21 to 23 and 28 to 30).

use super::api::Api;
use super::handle::{Handle, c_string};
use crate::error::BridgeError;
use std::sync::Arc;
use std::time::Duration;

/// An event. It does not advance in runs that are not submitted.
#[derive(Debug)]
pub struct Event {
    pub(super) handle: Handle,
    api: Arc<Api>,
}

impl Event {
    /// An event at 0. The library wants a name.
    pub fn new(api: &Arc<Api>, name: &str) -> Result<Arc<Event>, BridgeError> {
        let name = c_string(name)?;
        let call = "e5rt_async_event_create";
        let release = api.e5rt_async_event_release.ok_or(BridgeError::Null { call })?;
        let handle = Handle::new(call, release, |out| {
            // SAFETY: an out-pointer and a C string. The third argument is 0: another is refused.
            unsafe { api.e5rt_async_event_create(out, name.as_ptr(), 0) }
        })?;
        Ok(Arc::new(Event { handle, api: api.clone() }))
    }

    /// The value that the next completion raises it to, and that those who depend on it wait for.
    pub fn expect(&self, value: u64) -> Result<(), BridgeError> {
        // SAFETY: a live event.
        unsafe { self.api.e5rt_async_event_set_active_future_value(self.handle.raw(), value) }
    }

    /// Raises it.
    pub fn signal(&self, value: u64) -> Result<(), BridgeError> {
        // SAFETY: a live event.
        unsafe { self.api.e5rt_async_event_signal(self.handle.raw(), value) }
    }

    /// Where it stands.
    pub fn value(&self) -> Result<u64, BridgeError> {
        let mut value = 0;
        // SAFETY: a live event and an out-pointer.
        unsafe { self.api.e5rt_async_event_get_last_signaled_value(self.handle.raw(), &raw mut value)? };
        Ok(value)
    }

    /// Waits until it stands at `value` or above; an error after `timeout`.
    pub fn wait(&self, value: u64, timeout: Duration) -> Result<(), BridgeError> {
        let timeout = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        // SAFETY: a live event.
        unsafe { self.api.e5rt_async_event_sync_wait(self.handle.raw(), value, timeout) }
    }
}
