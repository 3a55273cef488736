//! A pool of two SoftHSM tokens that hold the same key: one fails in every way that can be caused, and
//! the payments go on by the other, without anybody who restarts a process.

mod faults;
mod kinds;
mod pool;
