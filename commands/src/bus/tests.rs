//! The bus's rules, on a real log in memory.
