//! What every backend must do. Never knows which backend it runs on.
