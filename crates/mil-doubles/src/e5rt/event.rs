//! Events (calls 21, 28 to 30): a number that only grows, and waiting for it.

use super::call::calls;
use super::handle::{Fault, Handle, Object, get, give, put, release, text};
use crate::behaviour;
use std::ffi::c_char;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Default)]
struct Values {
    signaled: u64,
    future: u64,
}

#[derive(Default)]
pub(super) struct Event {
    values: Mutex<Values>,
    changed: Condvar,
}

impl Object for Event {
    const KIND: &'static str = "async event";
}

impl Event {
    fn values(&self) -> MutexGuard<'_, Values> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, value: u64) {
        let mut values = self.values();
        values.signaled = values.signaled.max(value);
        self.changed.notify_all();
    }

    /// An operation that has the event as its completion is done.
    pub(super) fn complete(&self) {
        let (signaled, future) = {
            let values = self.values();
            (values.signaled, values.future)
        };
        self.signal(future.max(signaled + 1));
    }

    /// Waits for the future value. Whether it came in time.
    pub(super) fn wait_future(&self, timeout: Duration) -> bool {
        let future = self.values().future;
        self.wait(future, timeout)
    }

    fn wait(&self, value: u64, timeout: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.values(), timeout, |v| v.signaled < value);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

calls! {
    fn e5rt_async_event_create(out: *mut Handle, name: *const c_char, reserved: u32) {
        let named = !name.is_null();
        if !named && behaviour::is_on("e5rt/event-name") {
            return Err(Fault::argument("double: an event needs a name"));
        }
        if named {
            // SAFETY: a C string.
            unsafe { text(name) }?;
        }
        if reserved != 0 && behaviour::is_on("e5rt/event-third-argument") {
            return Err(Fault::argument("double: the third argument must be 0"));
        }
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(Event::default())) }
    }

    fn e5rt_async_event_signal(event: Handle, value: u64) {
        get::<Event>(event)?.signal(value);
        Ok(())
    }

    fn e5rt_async_event_sync_wait(event: Handle, value: u64, timeout_ns: u64) {
        match get::<Event>(event)?.wait(value, Duration::from_nanos(timeout_ns)) {
            true => Ok(()),
            false => Err(Fault::operation("double: timed out")),
        }
    }

    fn e5rt_async_event_get_last_signaled_value(event: Handle, out: *mut u64) {
        let value = get::<Event>(event)?.values().signaled;
        // SAFETY: an out-pointer.
        unsafe { put(out, value) }
    }

    fn e5rt_async_event_set_active_future_value(event: Handle, value: u64) {
        get::<Event>(event)?.values().future = value;
        Ok(())
    }

    fn e5rt_async_event_get_active_future_value(event: Handle, out: *mut u64) {
        let value = get::<Event>(event)?.values().future;
        // SAFETY: an out-pointer.
        unsafe { put(out, value) }
    }

    fn e5rt_async_event_release(event: *mut Handle) {
        // SAFETY: the address of a handle.
        unsafe { release::<Event>(event) }.map(drop)
    }
}
