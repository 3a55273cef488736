//! The program `strongroom`: command line, REST, GraphQL and the wiring of all parts. Never a rule
//! of custody (those are in `domain`), and never an append that does not go through `commands`.

pub mod access;
pub mod application;
pub mod approval_key;
pub mod authorisation;
pub mod charter_spec;
pub mod checkpoint_file;
pub mod cli;
pub mod clock;
pub mod config;
pub mod data_directory;
pub mod graphql;
pub mod log_keys;
mod pages;
pub mod policy_file;
pub mod rehearsal;
pub mod rest;
pub mod serve;
pub mod sign_in;
pub mod token_key;
pub mod webhooks;
pub mod witness;
