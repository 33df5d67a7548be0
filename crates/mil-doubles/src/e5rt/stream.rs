//! Streams (calls 24 to 27 and 31): operations in order, run at once or submitted.

use super::block::Block;
use super::call::calls;
use super::handle::{Fault, Handle, Object, get, give, release};
use super::operation::Operation;
use crate::{behaviour, notes};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Requests that can be in flight.
const IN_FLIGHT: usize = 127;
/// How long an operation waits for the events it depends on before the double gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests in flight, by stream.
static FLYING: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

#[derive(Default)]
pub(super) struct Stream {
    encoded: Mutex<Vec<Arc<Operation>>>,
    /// It ran since it was made or reset.
    used: AtomicBool,
    /// An operation was prepared: the trap of call 32.
    trapped: AtomicBool,
    /// The thread of the last request.
    last: Mutex<Option<JoinHandle<()>>>,
    /// Held while it runs.
    running: Mutex<()>,
}

impl Object for Stream {
    const KIND: &'static str = "execution stream";
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Stream {
    fn drop(&mut self) {
        locked(&self.encoded).iter().for_each(|op| op.forget());
    }
}

impl Stream {
    fn run(&self, submitted: bool) -> Result<(), Fault> {
        let _running = locked(&self.running);
        let again = self.used.swap(true, Ordering::SeqCst);
        if again && !behaviour::is_on("e5rt/runs-again") {
            return Err(Fault::operation("double: the stream is not encoded"));
        }
        let mut operations = locked(&self.encoded).clone();
        if !behaviour::is_on("e5rt/order-of-encoding") {
            operations.reverse();
        }
        for op in operations {
            if submitted && !op.dependent().iter().all(|event| event.wait_future(PATIENCE)) {
                return Err(Fault::operation("double: an event never came"));
            }
            op.run()?;
            if submitted || !behaviour::is_on("e5rt/events-still-under-sync") {
                op.completion().inspect(|event| event.complete());
            }
        }
        Ok(())
    }

    fn submit(self: &Arc<Stream>, block: Block) -> Result<(), Fault> {
        let id = Arc::as_ptr(self) as usize;
        let mut flying = locked(&FLYING);
        if flying.values().sum::<usize>() >= IN_FLIGHT && behaviour::is_on("e5rt/in-flight-limit") {
            return Err(Fault::operation("double: too many requests in flight"));
        }
        let lost = flying.keys().any(|&other| other != id) && behaviour::is_on("e5rt/one-stream-at-a-time");
        if lost {
            notes::add("double: a completion was lost, another stream is in flight");
            return Ok(());
        }
        *flying.entry(id).or_default() += 1;
        drop(flying);
        let mut last = locked(&self.last);
        let (before, stream) = (last.take(), self.clone());
        *last = Some(std::thread::spawn(move || {
            let _ = before.map(JoinHandle::join);
            if let Err(fault) = stream.run(true) {
                notes::add(fault.text);
            }
            // The request is over before its completion is told, so that one made from there is not the second.
            let mut flying = locked(&FLYING);
            if let Some(n) = flying.get_mut(&id) {
                *n -= 1;
                if *n == 0 {
                    flying.remove(&id);
                }
            }
            drop(flying);
            // Whoever is told may count what is alive.
            drop(stream);
            block.call();
        }));
        Ok(())
    }
}

calls! {
    fn e5rt_execution_stream_create(out: *mut Handle) {
        // SAFETY: an out-pointer.
        unsafe { give(out, Arc::new(Stream::default())) }
    }

    fn e5rt_execution_stream_encode_operation(stream: Handle, operation: Handle) {
        if (stream.is_null() || operation.is_null()) && behaviour::is_on("e5rt/zero-handle") {
            return Ok(());
        }
        let (stream, operation) = (get::<Stream>(stream)?, get::<Operation>(operation)?);
        operation.encode()?;
        if operation.prepared.load(Ordering::SeqCst) && behaviour::is_on("e5rt/prepare-trap") {
            stream.trapped.store(true, Ordering::SeqCst);
        }
        locked(&stream.encoded).push(operation);
        Ok(())
    }

    fn e5rt_execution_stream_execute_sync(stream: Handle) {
        if stream.is_null() && behaviour::is_on("e5rt/zero-handle") {
            return Ok(());
        }
        get::<Stream>(stream)?.run(false)
    }

    fn e5rt_execution_stream_submit_async(stream: Handle, block: *mut c_void) {
        let stream = get::<Stream>(stream)?;
        // SAFETY: a block that returns a status, as this call takes.
        match unsafe { Block::copy(block) } {
            Some(block) => stream.submit(block),
            None if behaviour::is_on("e5rt/null-block-crashes") => {
                eprintln!("double: crash in objc_retain");
                std::process::abort()
            }
            None => Err(Fault::argument("double: no block")),
        }
    }

    fn e5rt_execution_stream_async_submit(stream: Handle, _block: *mut c_void) {
        get::<Stream>(stream)?;
        match behaviour::is_on("e5rt/old-submit-withdrawn") {
            true => Err(Fault::operation("use submit_async")),
            false => Ok(()),
        }
    }

    fn e5rt_execution_stream_reset(stream: Handle) {
        let stream = get::<Stream>(stream)?;
        if stream.trapped.load(Ordering::SeqCst) {
            return Err(Fault::operation("double: the stream has an operation that was prepared"));
        }
        if !stream.used.swap(false, Ordering::SeqCst) && !behaviour::is_on("e5rt/reset-fresh-stream") {
            return Err(Fault::operation("double: the stream is fresh"));
        }
        locked(&stream.encoded).drain(..).for_each(|op| op.forget());
        Ok(())
    }

    fn e5rt_execution_stream_set_quality_of_service(stream: Handle, _class: u32) {
        get::<Stream>(stream).map(drop)
    }

    fn e5rt_execution_stream_set_ane_execution_priority(stream: Handle, _priority: u32) {
        get::<Stream>(stream).map(drop)
    }

    fn e5rt_execution_stream_release(stream: *mut Handle) {
        // SAFETY: the address of a handle.
        let stream = unsafe { release::<Stream>(stream) }?;
        if stream.trapped.load(Ordering::SeqCst) {
            eprintln!("double: terminating due to uncaught exception of type E5RT::E5RTError");
            std::process::abort();
        }
        Ok(())
    }
}
