//! Counts what the code under test allocates: one thread, so plain counters do.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static HIGHEST: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

fn took(size: usize) {
    let live = LIVE.fetch_add(size, Relaxed) + size;
    HIGHEST.fetch_max(live, Relaxed);
    LARGEST.fetch_max(size, Relaxed);
}

fn gave(size: usize) {
    LIVE.fetch_sub(size, Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches only atomics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        gave(layout.size());
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        took(size);
        gave(layout.size());
        unsafe { System.realloc(block, layout, size) }
    }
}

/// Runs `work` and demands that no allocation in it is larger than `single` bytes, and that never
/// more than `total` bytes are held at once beyond those held before.
pub fn within<T>(what: &str, single: usize, total: usize, work: impl FnOnce() -> T) -> T {
    let before = LIVE.load(Relaxed);
    HIGHEST.store(before, Relaxed);
    LARGEST.store(0, Relaxed);
    let result = work();
    let (largest, held) = (LARGEST.load(Relaxed), HIGHEST.load(Relaxed).saturating_sub(before));
    assert!(largest <= single, "{what} allocated {largest} bytes at once, {single} are allowed");
    assert!(held <= total, "{what} held {held} bytes, {total} are allowed");
    result
}
