//! Order and monotony.
