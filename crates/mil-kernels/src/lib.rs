//! x
/// Stub until the kernels land.
pub struct Pool;
