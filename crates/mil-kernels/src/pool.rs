//! The thread pool: splits an index range over a fixed number of threads.
//!
//! A thin layer over a private `rayon` pool. Small work runs inline on the caller, so an operation of a few
//! thousand elements costs no wake-up; an executor that runs many small operations enters the pool once with
//! [`Pool::enter`] and every kernel below it then starts from a worker thread.
//!
//! A process that was forked has the pool but not its threads: there, everything runs on the calling thread.

use std::ops::Range;

/// A fixed set of threads that kernels share.
pub struct Pool {
    rayon: Option<rayon::ThreadPool>,
    threads: usize,
    /// The process that has the threads.
    process: u32,
}

/// The operating system refused to start the threads.
#[derive(Debug)]
pub struct PoolError(rayon::ThreadPoolBuildError);

impl std::fmt::Display for PoolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot start the worker threads: {}", self.0)
    }
}

impl std::error::Error for PoolError {}

impl Pool {
    /// A pool of `threads` threads (at least one); one thread means the caller's own.
    pub fn new(threads: usize) -> Result<Pool, PoolError> {
        let threads = threads.max(1);
        if threads == 1 {
            return Ok(Pool::inline());
        }
        let rayon = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("mil-kernels-{i}"))
            .build()
            .map_err(PoolError)?;
        Ok(Pool { rayon: Some(rayon), threads, process: std::process::id() })
    }

    /// The pool that runs everything on the calling thread.
    pub const fn inline() -> Pool {
        Pool { rayon: None, threads: 1, process: 0 }
    }

    /// How many threads work at once: the number to give to every `scratch_bytes(threads)`.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `work` on a worker thread, so that the kernels it calls need no hand-over from outside.
    pub fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.rayon {
            Some(rayon) if self.has_threads() => rayon.install(work),
            _ => work(),
        }
    }

    /// Is this the process that started the threads, and not one forked from it?
    fn has_threads(&self) -> bool {
        self.process == std::process::id()
    }

    /// Calls `body` on disjoint ranges that together cover `0..n`; a range is shorter than `grain` only when it is
    /// the last. Choose `grain` so that one range is worth some ten microseconds: `n <= grain` runs inline.
    pub fn for_ranges(&self, n: usize, grain: usize, body: impl Fn(Range<usize>) + Sync) {
        self.split(n, grain, 2, &|range, _| body(range));
    }

    /// As [`Pool::for_ranges`], giving each call a scratch slice of its own: `scratch` is cut into as many equal
    /// parts as there are threads. `body` must not use this pool itself, but may use an inline one: a thread that waits
    /// for a part of its work takes up other work, which could be another body with the same scratch.
    pub(crate) fn for_ranges_scratch(
        &self,
        n: usize,
        grain: usize,
        scratch: &mut [u8],
        body: impl Fn(Range<usize>, &mut [u8]) + Sync,
    ) {
        let part = scratch.len() / self.threads / 64 * 64;
        let base = crate::view::SharedMut::new(scratch);
        self.split(n, grain, 2, &|range, thread| {
            // SAFETY: `thread` is below `threads`, and a thread runs one body at a time, since every body of this crate
            // keeps from using the pool: the parts of concurrent bodies never overlap.
            let part = unsafe { base.slice(thread * part..(thread + 1) * part) };
            body(range, part);
        });
    }

    /// Cuts `out` into pieces of `piece` elements (the last may be shorter) and calls `body(index, piece)` for each,
    /// `grain` pieces or more in a row on one thread.
    pub fn for_pieces<T: Send>(
        &self,
        out: &mut [T],
        piece: usize,
        grain: usize,
        body: impl Fn(usize, &mut [T]) + Sync,
    ) {
        let (len, piece) = (out.len(), piece.max(1));
        let out = crate::view::SharedMut::new(out);
        self.for_ranges(len.div_ceil(piece), grain, |range| {
            for i in range {
                // SAFETY: piece `i` belongs to this call alone, the ranges being disjoint.
                body(i, unsafe { out.slice(i * piece..((i + 1) * piece).min(len)) });
            }
        });
    }

    /// `per_thread` is the number of ranges wanted for each thread when `grain` allows.
    fn split(&self, n: usize, grain: usize, per_thread: usize, body: &(dyn Fn(Range<usize>, usize) + Sync)) {
        if n == 0 {
            return;
        }
        let grain = grain.max(1);
        let Some(rayon) = self.rayon.as_ref().filter(|_| n > grain) else {
            return body(0..n, 0);
        };
        let chunk = grain.max(n.div_ceil(self.threads * per_thread));
        match rayon.current_thread_index() {
            Some(_) => halve(0..n, chunk, body),
            None if !self.has_threads() => body(0..n, 0),
            None => rayon.install(|| halve(0..n, chunk, body)),
        }
    }
}

/// Splits at a multiple of `chunk` until one chunk is left.
fn halve(range: Range<usize>, chunk: usize, body: &(dyn Fn(Range<usize>, usize) + Sync)) {
    let chunks = range.len().div_ceil(chunk);
    if chunks <= 1 {
        return body(range, rayon::current_thread_index().unwrap_or(0));
    }
    let middle = range.start + chunks / 2 * chunk;
    rayon::join(|| halve(range.start..middle, chunk, body), || halve(middle..range.end, chunk, body));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_index_is_visited_once() {
        for threads in [1, 2, 3] {
            let pool = Pool::new(threads).unwrap();
            for (n, grain) in [(0, 1), (1, 1), (7, 3), (1000, 1), (1000, 64), (64, 1000)] {
                let seen: Vec<AtomicUsize> = (0..n).map(|_| AtomicUsize::new(0)).collect();
                let mut scratch = vec![0u8; 256 * threads];
                pool.for_ranges_scratch(n, grain, &mut scratch, |range, part| {
                    assert_eq!(part.len(), 256);
                    part.fill(range.start as u8);
                    for i in range.clone() {
                        seen[i].fetch_add(1, Ordering::Relaxed);
                    }
                    assert!(part.iter().all(|&b| b == range.start as u8));
                });
                assert!(seen.iter().all(|s| s.load(Ordering::Relaxed) == 1), "{threads} {n} {grain}");
            }
        }
    }

    #[test]
    fn pieces_cover_the_slice() {
        let pool = Pool::new(2).unwrap();
        let mut out = vec![0usize; 1003];
        pool.for_pieces(&mut out, 10, 1, |i, piece| piece.fill(i + 1));
        assert!(out.iter().enumerate().all(|(i, &v)| v == i / 10 + 1));
    }
}
