//! The rules, as tests.
