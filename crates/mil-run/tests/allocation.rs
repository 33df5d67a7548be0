//! Running a plan allocates nothing. Alone in its file because it replaces the allocator, and without the test harness,
//! whose own thread allocates while a test runs and would be counted.
#![allow(unsafe_code)]

mod support;

use mil_check::Checked;
use mil_run::{LoadedCpu, Options, Session};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
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
    expanding_weights_allocates_nothing();
    println!("2 passed, 0 failed");
}

fn running_a_plan_allocates_nothing() {
    let body = "tensor<fp32, [16, 64]> a = t_half(x = x);
        tensor<fp32, [16, 64]> b = t_relu(x = a);
        tensor<fp32, [16, 64]> c, tensor<fp32, [16, 64]> d = t_both(x = b);
        tensor<fp32, [16, 64]> e = t_add(x = c, y = d);
        tensor<fp32, [16, 64]> f = t_same(x = e);";
    watch(&support::program("tensor<fp32, [16, 64]> x", body, "f, b"));
}

/// Compressed weights of every kind that has a kernel of its own.
fn expanding_weights_allocates_nothing() {
    let body = "tensor<fp16, [2, 8]> a = constexpr_lut_to_dense(indices = tensor<uint1, [2, 8]>([[0, 1, 1, 0, 1, 0, 0, 1], [1, 1, 1, 0, 1, 0, 0, 1]]), lut = tensor<fp16, [1, 1, 2, 1]>([[[[0.5], [-0.5]]]]));
        tensor<fp16, [2, 8]> b = constexpr_blockwise_shift_scale(data = tensor<int4, [2, 8]>([[0, 1, 1, 0, 1, 0, 0, 1], [1, 1, 7, 0, 1, -8, 0, 1]]), scale = tensor<fp16, [2, 2]>([[0.5, 1.0], [2.0, 3.0]]));
        tensor<uint1, [2, 16]> m, tensor<int8, [2]> i = constexpr_lut_to_sparse(indices_mask = tensor<uint1, [2, 16]>([[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]]), indices_nonzero_data = tensor<uint1, [2]>([1, 0]), lut = tensor<int8, [1, 1, 2, 1]>([[[[5], [-7]]]]));
        tensor<uint1, [2, 16]> n, tensor<fp16, [2]> v = constexpr_sparse_blockwise_shift_scale(data_mask = m, nonzero_data = i, scale = tensor<fp16, [2, 1]>([[0.5], [1.0]]));
        tensor<fp16, [2, 16]> c = constexpr_sparse_to_dense(mask = n, nonzero_data = v);
        tensor<fp16, [3, 2]> d = linear(weight = a, x = x);
        tensor<fp16, [3, 2]> e = linear(weight = b, x = x);
        tensor<fp16, [3, 2]> s = add(x = d, y = e);
        tensor<fp16, [3, 16]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = s, y = c);";
    watch(&support::with("tensor<fp16, [3, 8]> x", body, "y", &mil_ops::OpSet::standard()));
}

fn watch(checked: &Arc<Checked>) {
    for threads in [1, 2] {
        let options = Options { expand_up_to: 0, ..support::options(threads, true) };
        let loaded = LoadedCpu::new(checked.clone(), &options).unwrap();
        let mut session = loaded.session(None).unwrap();
        session.run(&support::Random(1).inputs(checked)).unwrap();
        assert!(session.plan().unwrap().steps().all(|(_, why)| why.is_none()), "a step has no kernel");
        // Every thread of the pool has met the steps once, which may set up its own storage.
        for _ in 0..RUNS {
            session.rerun().unwrap();
        }
        let before = CALLS.load(Ordering::Relaxed);
        for _ in 0..RUNS {
            session.rerun().unwrap();
        }
        let calls = CALLS.load(Ordering::Relaxed) - before;
        assert_eq!(calls, 0, "with {threads} threads");
    }
}
