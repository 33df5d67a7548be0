//! Objective-C blocks, by their documented layout (Clang's "Block Implementation Specification"), so that the double needs
//! no Objective-C: a block is kept, called once and given up, as the real call does.

use std::ffi::{c_int, c_void};
use std::mem::transmute;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, Ordering};

/// On the heap, with a reference count in the flags' low bits.
const NEEDS_FREE: i32 = 1 << 24;
/// The descriptor has functions to copy and to dispose of what is captured.
const HAS_COPY_DISPOSE: i32 = 1 << 25;
/// Static: neither copied nor freed.
const IS_GLOBAL: i32 = 1 << 28;
/// The low bits that count references, one by one: so counts libBlocksRuntime, which made the heap blocks we are given. (Apple's
/// counts by twos, and keeps the lowest bit for "being freed"; this double never runs there.)
const COUNT: i32 = 0xffff;

#[repr(C)]
struct Layout {
    isa: *const c_void,
    flags: AtomicI32,
    reserved: i32,
    invoke: unsafe extern "C-unwind" fn(*mut Layout) -> c_int,
    descriptor: *const Descriptor,
}

#[repr(C)]
struct Descriptor {
    reserved: usize,
    size: usize,
    copy: *const c_void,
    dispose: *const c_void,
}

unsafe extern "C" {
    fn malloc(bytes: usize) -> *mut c_void;
    fn free(memory: *mut c_void);
}

/// A block of ours to call and give up.
pub(super) struct Block(NonNull<Layout>);

// SAFETY: who submits a block promises that any thread may call it.
unsafe impl Send for Block {}

impl Block {
    /// Keeps a block; nothing for null.
    ///
    /// # Safety
    /// `block` is null or a live block without parameters, which any thread may call, that returns a status.
    pub(super) unsafe fn copy(block: *mut c_void) -> Option<Block> {
        let block = NonNull::new(block.cast::<Layout>())?;
        // SAFETY: a live block.
        let layout = unsafe { block.as_ref() };
        let flags = layout.flags.load(Ordering::SeqCst);
        if flags & IS_GLOBAL != 0 {
            return Some(Block(block));
        }
        if flags & NEEDS_FREE != 0 {
            layout.flags.fetch_add(1, Ordering::SeqCst);
            return Some(Block(block));
        }
        // SAFETY: a block on the stack: `size` bytes, with a function that copies what it captured, if the flags say so.
        unsafe {
            let descriptor = &*layout.descriptor;
            let heap = NonNull::new(malloc(descriptor.size).cast::<Layout>())?;
            std::ptr::copy_nonoverlapping(
                block.as_ptr().cast::<u8>(),
                heap.as_ptr().cast::<u8>(),
                descriptor.size,
            );
            heap.as_ref().flags.store((flags & !COUNT) | NEEDS_FREE | 1, Ordering::SeqCst);
            if flags & HAS_COPY_DISPOSE != 0 {
                let copy: unsafe extern "C-unwind" fn(*mut c_void, *const c_void) =
                    transmute(descriptor.copy);
                copy(heap.as_ptr().cast(), block.as_ptr().cast());
            }
            Some(Block(heap))
        }
    }

    /// Calls it.
    pub(super) fn call(&self) -> c_int {
        // SAFETY: a live block; `copy`'s caller promised its signature.
        unsafe { (self.0.as_ref().invoke)(self.0.as_ptr()) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: a live block with a reference of ours, unless it is global.
        unsafe {
            let flags = &self.0.as_ref().flags;
            if flags.load(Ordering::SeqCst) & NEEDS_FREE == 0
                || flags.fetch_sub(1, Ordering::SeqCst) & COUNT > 1
            {
                return;
            }
            if flags.load(Ordering::SeqCst) & HAS_COPY_DISPOSE != 0 {
                let dispose: unsafe extern "C-unwind" fn(*const c_void) =
                    transmute((*self.0.as_ref().descriptor).dispose);
                dispose(self.0.as_ptr().cast());
            }
            free(self.0.as_ptr().cast());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    static CALLED: AtomicUsize = AtomicUsize::new(0);

    unsafe extern "C-unwind" fn invoke(_: *mut Layout) -> c_int {
        CALLED.fetch_add(1, Ordering::SeqCst);
        7
    }

    #[test]
    fn a_block_on_the_stack_is_moved_to_the_heap_and_called() {
        let none = std::ptr::null();
        let descriptor = Descriptor { reserved: 0, size: size_of::<Layout>(), copy: none, dispose: none };
        let mut stack =
            Layout { isa: none, flags: AtomicI32::new(0), reserved: 0, invoke, descriptor: &descriptor };
        // SAFETY: a block as the specification has it.
        let copy = unsafe { Block::copy((&raw mut stack).cast()) }.unwrap();
        // SAFETY: a block on the heap.
        let again = unsafe { Block::copy(copy.0.as_ptr().cast()) }.unwrap();
        assert_eq!(copy.0, again.0);
        drop(copy);
        assert_eq!((again.call(), CALLED.load(Ordering::SeqCst)), (7, 1));
    }
}
