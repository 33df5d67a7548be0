//! How many objects of the doubles exist, for tests of leaks.

use std::sync::atomic::{AtomicI64, Ordering};

static ALIVE: AtomicI64 = AtomicI64::new(0);

/// Objects of the doubles' classes that exist now. The shared connection, once asked for, stays.
pub fn objects_alive() -> i64 {
    ALIVE.load(Ordering::SeqCst)
}

#[unsafe(no_mangle)]
extern "C" fn double_object_made() {
    ALIVE.fetch_add(1, Ordering::SeqCst);
}

#[unsafe(no_mangle)]
extern "C" fn double_object_gone() {
    ALIVE.fetch_sub(1, Ordering::SeqCst);
}
