//! Laying out buffers: those alive at the same time must not overlap, and the whole should be small.
//!
//! Offline dynamic storage allocation is NP-hard. Placing buffers largest first, each into the smallest gap left by
//! those alive with it, comes within a few percent of the largest amount alive at once on the networks we run; several
//! orders are tried and the best one is kept.

use crate::arena::ALIGN;

/// A buffer and the steps it is alive at, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lifetime {
    pub(crate) size: usize,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Lifetime {
    fn meets(&self, other: &Lifetime) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Offsets by buffer, and the bytes needed for all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Packed {
    pub(crate) offsets: Vec<usize>,
    pub(crate) size: usize,
}

/// By what buffers are ordered, the largest first.
type Key = fn(&Lifetime) -> (usize, usize);

/// Above this many buffers only one order is tried, since each costs quadratic time.
const MANY: usize = 4000;

/// Lays out `buffers`; nothing if the sizes overflow.
pub(crate) fn pack(buffers: &[Lifetime]) -> Option<Packed> {
    buffers.iter().try_fold(0usize, |sum, b| sum.checked_add(b.size.checked_next_multiple_of(ALIGN)?))?;
    let keys: [Key; 4] = [
        |b| (b.size, b.last - b.first),
        |b| (b.size.saturating_mul(b.last - b.first + 1), b.size),
        |b| (b.last - b.first, b.size),
        |b| (usize::MAX - b.first, b.size),
    ];
    let tried = if buffers.len() > MANY { 1 } else { keys.len() };
    let floor = alive_at_once(buffers);
    let mut best: Option<Packed> = None;
    for key in &keys[..tried] {
        let mut order: Vec<usize> = (0..buffers.len()).filter(|&i| buffers[i].size > 0).collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(key(&buffers[i])), i));
        let packed = place(buffers, &order);
        if best.as_ref().is_none_or(|b| packed.size < b.size) {
            best = Some(packed);
        }
        if best.as_ref().is_some_and(|b| b.size <= floor) {
            break;
        }
    }
    best
}

/// The most bytes alive at any step: no layout is smaller.
pub(crate) fn alive_at_once(buffers: &[Lifetime]) -> usize {
    let mut events: Vec<(usize, bool, usize)> = Vec::new();
    for b in buffers {
        let size = b.size.next_multiple_of(ALIGN);
        events.push((b.first, true, size));
        events.push((b.last + 1, false, size));
    }
    // At one step what ended before is freed (false sorts first) and then what begins is added.
    events.sort_unstable();
    let (mut now, mut most) = (0usize, 0);
    for (_, begins, size) in events {
        if begins {
            now += size
        } else {
            now -= size
        }
        most = most.max(now);
    }
    most
}

/// Best fit, in this order.
fn place(buffers: &[Lifetime], order: &[usize]) -> Packed {
    let mut offsets = vec![0usize; buffers.len()];
    // Buffers placed so far, by offset.
    let mut placed: Vec<usize> = Vec::with_capacity(order.len());
    let mut total = 0;
    for &i in order {
        let size = buffers[i].size.next_multiple_of(ALIGN);
        let (mut end, mut best): (usize, Option<(usize, usize)>) = (0, None);
        for &j in placed.iter().filter(|&&j| buffers[j].meets(&buffers[i])) {
            let gap = offsets[j].saturating_sub(end);
            if gap >= size && best.is_none_or(|(least, _)| gap < least) {
                best = Some((gap, end));
            }
            end = end.max(offsets[j] + buffers[j].size.next_multiple_of(ALIGN));
        }
        let offset = best.map_or(end, |(_, at)| at);
        offsets[i] = offset;
        total = total.max(offset + size);
        let at = placed.partition_point(|&j| offsets[j] < offset);
        placed.insert(at, i);
    }
    Packed { offsets, size: total }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: u64, count: usize) -> Vec<Lifetime> {
        let mut state = seed;
        let mut next = |n: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((state >> 33) % n) as usize
        };
        (0..count)
            .map(|_| {
                let first = next(60);
                Lifetime { size: next(5000) * next(3), first, last: first + next(12) }
            })
            .collect()
    }

    #[test]
    fn buffers_alive_together_never_overlap() {
        for seed in 0..200 {
            let buffers = random(seed, 1 + seed as usize % 70);
            let packed = pack(&buffers).unwrap();
            for (i, a) in buffers.iter().enumerate() {
                assert_eq!(packed.offsets[i] % ALIGN, 0);
                assert!(packed.offsets[i] + a.size <= packed.size || a.size == 0);
                for (j, b) in buffers.iter().enumerate().skip(i + 1) {
                    let apart = packed.offsets[i] + a.size <= packed.offsets[j]
                        || packed.offsets[j] + b.size <= packed.offsets[i];
                    assert!(apart || !a.meets(b) || a.size == 0 || b.size == 0, "{seed}: {a:?} {b:?}");
                }
            }
            assert!(packed.size >= alive_at_once(&buffers));
        }
    }

    #[test]
    fn a_chain_takes_two_buffers() {
        let chain: Vec<Lifetime> = (0..50).map(|i| Lifetime { size: 1000, first: i, last: i + 1 }).collect();
        assert_eq!(pack(&chain).unwrap().size, 2 * 1024);
    }

    #[test]
    fn random_layouts_are_near_the_floor() {
        let (mut sum, mut floor) = (0, 0);
        for seed in 0..50 {
            let buffers = random(seed, 60);
            sum += pack(&buffers).unwrap().size;
            floor += alive_at_once(&buffers);
        }
        assert!(sum as f64 <= 1.05 * floor as f64, "{sum} over {floor}");
    }

    #[test]
    fn sizes_that_overflow_are_refused() {
        let huge = Lifetime { size: usize::MAX / 2, first: 0, last: 0 };
        assert_eq!(pack(&[huge, huge, huge]), None);
    }
}
