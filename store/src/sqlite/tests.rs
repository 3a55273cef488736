//! Tests of the log on SQLite. Never uses a mock.
