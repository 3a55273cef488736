//! What the linter finds, and what it lets be.
