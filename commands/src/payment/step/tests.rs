//! Every state and every fact.
