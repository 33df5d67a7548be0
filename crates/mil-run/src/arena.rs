//! The memory a plan runs in, and the only `unsafe` code of this crate.
//!
//! A step reads and writes several parts of one buffer at once. [`Access`] is the proof, made once when the program
//! is planned, that the parts written overlap nothing; [`Arena::split`] hands them out on the strength of it.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// Alignment of every buffer, in bytes: a cache line, and more than any vector load needs.
pub(crate) const ALIGN: usize = 64;

/// Zeroed memory at a multiple of [`ALIGN`]. Large ones take pages from the system only when they are touched.
pub(crate) struct Aligned {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: it owns plain bytes.
unsafe impl Send for Aligned {}
// SAFETY: shared access only reads.
unsafe impl Sync for Aligned {}

impl Aligned {
    /// `len` zero bytes, or nothing if the system has no room for them.
    pub(crate) fn zeroed(len: usize) -> Option<Aligned> {
        let layout = Layout::from_size_align(len.max(1), ALIGN).ok()?;
        // SAFETY: the layout is not empty.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Aligned { start, len })
    }

    /// A copy of `bytes`.
    pub(crate) fn copy_of(bytes: &[u8]) -> Option<Aligned> {
        let mut new = Aligned::zeroed(bytes.len())?;
        new.as_mut().copy_from_slice(bytes);
        Some(new)
    }
}

impl Drop for Aligned {
    fn drop(&mut self) {
        // `zeroed` made this layout before, so it is valid.
        if let Ok(layout) = Layout::from_size_align(self.len.max(1), ALIGN) {
            // SAFETY: allocated in `zeroed` with the same layout, and dropped once.
            unsafe { dealloc(self.start.as_ptr(), layout) }
        }
    }
}

impl AsRef<[u8]> for Aligned {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `len` initialised bytes live here as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl AsMut<[u8]> for Aligned {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_ref`, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

/// A range of bytes of an arena.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Region {
    /// First byte.
    pub offset: usize,
    /// Number of bytes.
    pub len: usize,
}

impl Region {
    fn end(self) -> Option<usize> {
        self.offset.checked_add(self.len)
    }
}

/// What one step reads and writes, proven free of overlap: every region written is disjoint from every other region
/// written and from every region read, and starts at a multiple of [`ALIGN`].
#[derive(Debug, Default)]
pub(crate) struct Access {
    reads: Box<[Region]>,
    writes: Box<[Region]>,
    extent: usize,
}

impl Access {
    /// The proof, or nothing if regions overlap.
    pub(crate) fn new(reads: Vec<Region>, writes: Vec<Region>) -> Option<Access> {
        let mut extent = 0;
        let mut all = Vec::with_capacity(reads.len() + writes.len());
        for (regions, written) in [(&reads, false), (&writes, true)] {
            for r in regions {
                extent = extent.max(r.end()?);
                if r.offset % ALIGN != 0 {
                    return None;
                }
                if r.len > 0 {
                    all.push((r.offset, r.offset + r.len, written));
                }
            }
        }
        all.sort_unstable();
        let (mut end_of_reads, mut end_of_writes) = (0, 0);
        for (start, end, written) in all {
            if start < end_of_writes || (written && start < end_of_reads) {
                return None;
            }
            if written { end_of_writes = end } else { end_of_reads = end_of_reads.max(end) }
        }
        Some(Access { reads: reads.into(), writes: writes.into(), extent })
    }

    /// The regions written.
    pub(crate) fn writes(&self) -> &[Region] {
        &self.writes
    }
}

/// One buffer, of which steps use parts.
pub(crate) struct Arena {
    memory: Aligned,
}

impl Arena {
    /// `len` zero bytes, or nothing if the system has no room for them.
    pub(crate) fn new(len: usize) -> Option<Arena> {
        Some(Arena { memory: Aligned::zeroed(len)? })
    }

    /// The bytes of a region; empty if it is not within the arena.
    pub(crate) fn read(&self, r: Region) -> &[u8] {
        r.end().and_then(|end| self.memory.as_ref().get(r.offset..end)).unwrap_or(&[])
    }

    /// The bytes of a region, to write; empty if it is not within the arena.
    pub(crate) fn write(&mut self, r: Region) -> &mut [u8] {
        match r.end() {
            Some(end) => self.memory.as_mut().get_mut(r.offset..end).unwrap_or(&mut []),
            None => &mut [],
        }
    }

    /// The slices that `access` names, in its order: those read are pushed, those written are put into `writes`. False,
    /// and nothing done, if the arena is too small or `writes` has another length than the regions written.
    pub(crate) fn split<'a: 'r + 'w, 'r, 'w>(
        &'a mut self,
        access: &Access,
        reads: &mut Vec<&'r [u8]>,
        writes: &mut [&'w mut [u8]],
    ) -> bool {
        if access.extent > self.memory.len || writes.len() != access.writes.len() {
            return false;
        }
        let start = self.memory.start.as_ptr();
        for r in &access.reads {
            // SAFETY: within the arena (`extent`), which is borrowed for 'a; `Access` proves that no region written
            // overlaps it.
            reads.push(unsafe { std::slice::from_raw_parts(start.add(r.offset), r.len) });
        }
        for (r, write) in access.writes.iter().zip(writes) {
            // SAFETY: as above, and `Access` proves it disjoint from every other region of this call.
            *write = unsafe { std::slice::from_raw_parts_mut(start.add(r.offset), r.len) };
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn r(offset: usize, len: usize) -> Region {
        Region { offset, len }
    }

    #[test]
    fn overlap_is_refused_and_sharing_reads_is_not() {
        assert!(Access::new(vec![r(0, 64), r(0, 64)], vec![r(64, 10), r(128, 10)]).is_some());
        assert!(Access::new(vec![r(0, 65)], vec![r(64, 10)]).is_none());
        assert!(Access::new(vec![r(0, 300), r(64, 4)], vec![r(128, 10)]).is_none());
        assert!(Access::new(vec![], vec![r(0, 100), r(64, 10)]).is_none());
        assert!(Access::new(vec![], vec![r(0, 100), r(0, 0)]).is_some());
        assert!(Access::new(vec![], vec![r(32, 10)]).is_none(), "not aligned");
        assert!(Access::new(vec![r(64, usize::MAX)], vec![]).is_none(), "overflow");
    }

    #[test]
    fn a_small_arena_gives_nothing() {
        let mut arena = Arena::new(100).unwrap();
        let access = Access::new(vec![r(0, 64)], vec![r(64, 64)]).unwrap();
        let (mut reads, mut writes): (_, [&mut [u8]; 1]) = (Vec::new(), [&mut []]);
        assert!(!arena.split(&access, &mut reads, &mut writes));
        assert!(reads.is_empty() && writes[0].is_empty());
    }

    #[test]
    fn parts_are_the_bytes_named() {
        let mut arena = Arena::new(256).unwrap();
        arena.write(r(0, 4)).copy_from_slice(&[1, 2, 3, 4]);
        let access = Access::new(vec![r(0, 4)], vec![r(64, 4), r(128, 0)]).unwrap();
        let (mut reads, mut writes): (_, [&mut [u8]; 2]) = (Vec::new(), Default::default());
        assert!(arena.split(&access, &mut reads, &mut writes));
        writes[0].copy_from_slice(reads[0]);
        assert_eq!(arena.read(r(64, 4)), [1, 2, 3, 4]);
        assert_eq!(arena.read(r(250, 10)), [0u8; 0]);
    }
}
