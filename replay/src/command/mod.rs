//! The commands of the program, one file each. Nothing here judges a log: the library does.

pub(crate) mod as_of;
pub(crate) mod compare;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod rebuild;
pub(crate) mod receipt;
pub(crate) mod verify;
pub(crate) mod witness;
