//! Running a plan allocates nothing. Alone in its file because it replaces the allocator, and without the test harness,
//! whose own thread allocates while a test runs and would be counted.
#![allow(unsafe_code)]

mod support;

use mil_run::{LoadedCpu, Session};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the calls.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands everything to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs that are watched.
const RUNS: usize = 20;

fn main() {
    running_a_plan_allocates_nothing();
    println!("1 passed, 0 failed");
}

fn running_a_plan_allocates_nothing() {
    let body = "tensor<fp32, [16, 64]> a = t_half(x = x);
        tensor<fp32, [16, 64]> b = t_relu(x = a);
        tensor<fp32, [16, 64]> c, tensor<fp32, [16, 64]> d = t_both(x = b);
        tensor<fp32, [16, 64]> e = t_add(x = c, y = d);
        tensor<fp32, [16, 64]> f = t_same(x = e);";
    let checked = support::program("tensor<fp32, [16, 64]> x", body, "f, b");
    for threads in [1, 2] {
        let loaded = LoadedCpu::new(checked.clone(), &support::options(threads, true)).unwrap();
        let mut session = loaded.session(None).unwrap();
        session.run(&support::Random(1).inputs(&checked)).unwrap();
        assert!(session.plan().unwrap().steps().all(|(_, why)| why.is_none()), "a step has no kernel");
        session.rerun().unwrap();
        let before = CALLS.load(Ordering::Relaxed);
        for _ in 0..RUNS {
            session.rerun().unwrap();
        }
        let calls = CALLS.load(Ordering::Relaxed) - before;
        assert_eq!(calls, 0, "with {threads} threads");
    }
}
