//! The system's allocator with a count of the bytes in use, for tests that nothing leaks and that work grows
//! no faster than its input.

#![expect(unsafe_code, reason = "a global allocator is unsafe to implement; this one only counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering};

/// A counting allocator. A test declares it: `#[global_allocator] static HEAP: Heap = Heap::new();`.
pub struct Heap {
    in_use: AtomicIsize,
    peak: AtomicIsize,
    taken: AtomicIsize,
}

thread_local! {
    static TAKEN_HERE: Cell<isize> = const { Cell::new(0) };
}

impl Heap {
    /// Nothing allocated yet.
    #[expect(clippy::new_without_default, reason = "it is a static")]
    #[must_use]
    pub const fn new() -> Self {
        Self { in_use: AtomicIsize::new(0), peak: AtomicIsize::new(0), taken: AtomicIsize::new(0) }
    }

    /// The number of bytes in use.
    pub fn in_use(&self) -> isize {
        self.in_use.load(Ordering::Relaxed)
    }

    /// The peak number of bytes in use since the last call.
    pub fn take_peak(&self) -> isize {
        self.peak.swap(self.in_use(), Ordering::Relaxed)
    }

    /// The total number of bytes allocated so far, whether freed or not.
    pub fn taken(&self) -> isize {
        self.taken.load(Ordering::Relaxed)
    }

    /// The total number of bytes that this thread has allocated so far, whatever others do.
    pub fn taken_here(&self) -> isize {
        TAKEN_HERE.get()
    }
}

// SAFETY: each call is passed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = layout.size().cast_signed();
        let before = self.in_use.fetch_add(size, Ordering::Relaxed);
        self.peak.fetch_max(before + size, Ordering::Relaxed);
        self.taken.fetch_add(size, Ordering::Relaxed);
        // A thread that ends has no count any more.
        let _ = TAKEN_HERE.try_with(|taken| taken.set(taken.get() + size));
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.in_use.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: the caller upholds the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}
