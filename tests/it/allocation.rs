//! Stands for the counting allocator of `tests/fuzz`, which needs code that this package forbids.

pub fn within<T>(_what: &str, _single: usize, _total: usize, work: impl FnOnce() -> T) -> T {
    work()
}
