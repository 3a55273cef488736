//! A stolen server against real signers: it has the server's TLS key and writes any log that it
//! likes. It never has an approver's key or a signer's. Each lie is refused by the rule that its
//! test names, or makes the signer stop; and an honest order on the honest log is carried out after it.

#![allow(
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    clippy::unused_self,
    reason = "its tables of cases are long and read best in one piece; every answer but one is wrong"
)]

mod attempts;
mod catalogue;
mod ceremonies;
mod cheats;
mod cosigned_payments;
mod cosigner_keys;
mod cosigners;
mod desk;
mod ed25519;
mod entries;
mod forge;
mod governed;
mod link;
mod lives;
mod notary;
mod orders;
mod own_time;
mod powers;
mod proofs;
mod restarts;
mod restoring;
mod rounds;
mod sessions;
mod strangers;
mod stuck;
mod sweeps;
mod transactions;
mod witnesses;
mod world;
