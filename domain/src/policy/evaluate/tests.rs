//! What each kind of rule says.
