//! What is fuzzed: every decoder that reads what the server, another signer, an officer or a disk
//! hands to a signer, and the server's decoder of answers. Nothing here is product code.

#![allow(missing_docs)]

pub mod decoders;

// Where the files of the signer that are compiled here a second time look for it.
pub(crate) use strongroom_signer::threshold;
