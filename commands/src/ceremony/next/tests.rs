//! Every state and every answer.
