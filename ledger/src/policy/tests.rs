//! Which policies are taken, and when a checkpoint counts under them. Never with keys of anybody.
