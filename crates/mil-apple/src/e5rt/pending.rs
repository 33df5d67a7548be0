//! Runs that were submitted and not waited for yet.

use super::stream::Stream;
use crate::error::BridgeError;
use block2::RcBlock;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whose turn it is to run: nobody's, or somebody's.
static BUSY: Flag = Flag { set: Mutex::new(false), changed: Condvar::new() };

/// How long a run that nobody waits for is given before its memory is given up.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Flag {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Flag {
    fn set(&self) -> MutexGuard<'_, bool> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, value: bool) {
        *self.set() = value;
        self.changed.notify_all();
    }

    /// Waits until it is set. Whether it was in time.
    fn wait(&self, timeout: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.set(), timeout, |set| !*set);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The turn to run, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn(());

/// Waits for the turn.
pub(super) fn turn() -> Turn {
    let busy = BUSY.changed.wait_while(BUSY.set(), |busy| *busy);
    *busy.unwrap_or_else(PoisonError::into_inner) = true;
    Turn(())
}

impl Drop for Turn {
    fn drop(&mut self) {
        BUSY.put(false);
    }
}

/// A run on its way. Nothing of the stream can be touched until it is done.
///
/// Dropped early it waits a while; if the run does not end, its memory is never freed: the engine may still write to it.
#[derive(Debug)]
pub struct Pending {
    stream: ManuallyDrop<Stream>,
    done: Arc<Flag>,
    turn: ManuallyDrop<Turn>,
}

impl Pending {
    pub(super) fn start(stream: Stream) -> Result<Pending, BridgeError> {
        let turn = turn();
        let done = Arc::new(Flag { set: Mutex::new(false), changed: Condvar::new() });
        let told = done.clone();
        // The block may be called with arguments, which differ between sources and which it does not look at.
        let block: RcBlock<dyn Fn() -> i32> = RcBlock::new(move || {
            told.put(true);
            0
        });
        let (api, handle) = stream.parts();
        // SAFETY: a live stream, and a block that may be called from any thread; the library keeps a reference of its own.
        unsafe { api.e5rt_execution_stream_submit_async(handle.raw(), RcBlock::as_ptr(&block).cast())? };
        Ok(Pending { stream: ManuallyDrop::new(stream), done, turn: ManuallyDrop::new(turn) })
    }

    /// Is the run over?
    pub fn is_done(&self) -> bool {
        *self.done.set()
    }

    /// Waits for the end of the run; gives the stream back, or itself after `timeout`.
    ///
    /// Whether the run succeeded, the completion does not reliably say: reading an output that was not written is an error.
    pub fn wait(mut self, timeout: Duration) -> Result<Stream, Pending> {
        if !self.done.wait(timeout) {
            return Err(self);
        }
        // SAFETY: taken once, for `self` is forgotten.
        let (stream, turn) =
            unsafe { (ManuallyDrop::take(&mut self.stream), ManuallyDrop::take(&mut self.turn)) };
        // SAFETY: `self` is forgotten below, so the count is dropped here and only here.
        drop(unsafe { std::ptr::read(&raw const self.done) });
        std::mem::forget(self);
        drop(turn);
        Ok(stream)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.done.wait(PATIENCE) {
            // SAFETY: dropped once, here; `wait` forgets what it took.
            unsafe { ManuallyDrop::drop(&mut self.stream) };
        }
        // SAFETY: as above. A run that never ends must not stop others for ever.
        unsafe { ManuallyDrop::drop(&mut self.turn) };
    }
}
