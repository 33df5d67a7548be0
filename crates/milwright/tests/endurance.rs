//! Nothing grows: a decoder steps a thousand times, ten thousand lengths are met, a model is loaded and dropped a thousand times, and sessions of one
//! program in parallel threads keep to their own state. Alone in its file, without the test harness, because it replaces the
//! allocator to count what is alive.
#![allow(unsafe_code)]

use milwright::{DType, LoadOptions, Model, OpenOptions, SaveOptions, Session, Tensor, open_text, save};
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicIsize, Ordering};

/// Counts the bytes that are allocated and not yet freed.
struct Counting;

static ALIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: hands everything to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALIVE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        ALIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A decoder's layer: `x` goes to its row of the cache, and the rows are averaged by how alike they are to `x`.
const DECODER: &str = r#"program(1.3)
{
    func main<ios18>(tensor<fp16, [1, 8]> x, tensor<int32, [1]> position, state<tensor<fp16, [64, 8]>> cache) {
            tensor<fp16, [64, 8]> old = read_state(input = cache);
            tensor<int32, [2]> begin = concat(axis = int32(0), interleave = bool(false), values = (position, tensor<int32, [1]>([0])));
            tensor<int32, [2]> end = add(x = begin, y = tensor<int32, [2]>([1, 8]));
            tensor<fp16, [64, 8]> new = slice_update(begin = begin, end = end, update = x, x = old);
            write_state(data = new, input = cache);
            tensor<fp16, [8, 8]> weight = const()[val = tensor<fp16, [8, 8]>([[1, 0, 0, 0, 0, 0, 0, 0.5], [0, 1, 0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0, 0, 1]])];
            tensor<fp16, [1, 8]> query = linear(weight = weight, x = x);
            tensor<fp16, [1, 64]> scores = matmul(transpose_x = bool(false), transpose_y = bool(true), x = query, y = new);
            tensor<fp16, [1, 64]> shares = softmax(axis = int32(-1), x = scores);
            tensor<fp16, [1, 8]> y = matmul(transpose_x = bool(false), transpose_y = bool(false), x = shares, y = new);
        } -> (y);
}"#;

/// What works on the decoder's package.
type Test = fn(&Path);

const STEPS: usize = 1000;
const LOADS: usize = 1000;
const LENGTHS: usize = 10_000;

fn main() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("decoder.mlpackage");
    let opened = open_text("decoder.mil", DECODER.to_owned(), ".", &OpenOptions::default()).unwrap();
    save(&path, &opened.program, &SaveOptions::default()).unwrap();
    drop(opened);
    let tests: [(&str, Test); 4] = [
        ("ten_thousand_lengths_take_the_memory_of_a_few", lengths),
        ("a_decoder_steps_a_thousand_times_in_the_same_memory", steps),
        ("sessions_in_parallel_threads_keep_their_own_state", parallel),
        ("loading_and_dropping_a_thousand_times_leaks_nothing", loads),
    ];
    for (name, test) in tests {
        test(&path);
        println!("test {name} ... ok");
    }
    println!("{} passed, 0 failed", tests.len());
}

fn load(path: &Path, threads: usize) -> Model {
    let options = LoadOptions { threads: Some(threads), ..Default::default() };
    Model::load(path, &options).unwrap_or_else(|failure| panic!("{failure}"))
}

/// One step of the decoder: the first output, from inputs that depend on `seed` and the step.
fn step(session: &mut Session, seed: usize, at: usize) -> Vec<f64> {
    let values: Vec<f64> = (0..8).map(|i| ((seed * 7 + at * 5 + i * 3) % 11) as f64 / 8.0 - 0.5).collect();
    let inputs = [
        ("x".to_owned(), Tensor::from_f64(DType::Fp16, &[1, 8], &values).unwrap()),
        ("position".to_owned(), Tensor::from_i64(DType::Int32, &[1], &[(at % 64) as i64]).unwrap()),
    ];
    let outputs = session.run(&inputs).unwrap_or_else(|e| panic!("{e}"));
    outputs[0].1.to_f64()
}

fn steps(path: &Path) {
    for threads in [1, 2] {
        let model = load(path, threads);
        let mut session = model.session().unwrap();
        for at in 0..10 {
            step(&mut session, 1, at);
        }
        let before = ALIVE.load(Ordering::Relaxed);
        for at in 10..STEPS {
            step(&mut session, 1, at);
        }
        let growth = ALIVE.load(Ordering::Relaxed) - before;
        // The pool's threads keep a few small blocks of their own that come and go.
        let allowed = if threads == 1 { 0 } else { 64 << 10 };
        assert!(growth <= allowed, "{growth} bytes more after {STEPS} steps with {threads} threads");
    }
}

/// Takes sequences of any length.
const FLEXIBLE: &str = r#"program(1.3)
{
    func main<ios18>(tensor<fp16, [1, ?]> x) {
            tensor<fp16, [1, ?]> twice = mul(x = x, y = fp16(2.0));
            tensor<fp16, [1, ?]> y = softmax(axis = int32(-1), x = twice);
        } -> (y);
}"#;

/// What a worker does that meets a new length every time.
fn lengths(_: &Path) {
    let opened = open_text("flexible.mil", FLEXIBLE.to_owned(), ".", &OpenOptions::default()).unwrap();
    let model = Model::new(opened, &LoadOptions { threads: Some(1), ..Default::default() }).unwrap();
    let mut session = model.session().unwrap();
    let mut run = |length: usize| {
        let x = Tensor::zeros(DType::Fp16, &[1, length]).unwrap();
        let outputs = session.run(&[("x".to_owned(), x)]).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(outputs[0].1.shape(), [1, length]);
    };
    // The longest first: plans and buffers are largest then.
    (LENGTHS - 20..LENGTHS).for_each(|n| run(n + 1));
    let before = ALIVE.load(Ordering::Relaxed);
    (0..LENGTHS).for_each(|n| run(n + 1));
    let growth = ALIVE.load(Ordering::Relaxed) - before;
    assert!(growth <= 4 << 10, "{growth} bytes more after {LENGTHS} lengths");
}

fn parallel(path: &Path) {
    let model = load(path, 1);
    let alone = |seed| {
        let mut session = model.session().unwrap();
        (0..100).map(|at| step(&mut session, seed, at)).collect::<Vec<_>>()
    };
    let want = [alone(1), alone(2)];
    assert_ne!(want[0], want[1]);
    let got = std::thread::scope(|scope| {
        let running = [1, 2].map(|seed| scope.spawn(move || alone(seed)));
        running.map(|thread| thread.join().unwrap())
    });
    assert!(got == want, "a session saw the state of another");
}

fn loads(path: &Path) {
    let once = |threads| {
        let model = load(path, threads);
        let mut session = model.session().unwrap();
        step(&mut session, 3, 0);
    };
    for (threads, count) in [(1, LOADS), (2, LOADS / 20)] {
        (0..10).for_each(|_| once(threads));
        let before = (ALIVE.load(Ordering::Relaxed), mapped(), running());
        (0..count).for_each(|_| once(threads));
        // Threads that were told to end do so in their own time.
        for _ in 0..100 {
            if running() <= before.2 && mapped() <= before.1 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let growth = ALIVE.load(Ordering::Relaxed) - before.0;
        let allowed = if threads == 1 { 0 } else { 64 << 10 };
        assert!(growth <= allowed, "{growth} bytes more after {count} loads with {threads} threads");
        assert!(running() <= before.2, "threads are left over");
        assert!(mapped() <= before.1, "{} files are mapped, {} were before", mapped(), before.1);
    }
}

/// Model files that are mapped; 0 where the system does not say.
fn mapped() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().filter(|line| line.contains(".mlpackage")).count()
}

/// Threads of this process; 0 where the system does not say.
fn running() -> usize {
    std::fs::read_dir(PathBuf::from("/proc/self/task")).map_or(0, Iterator::count)
}
