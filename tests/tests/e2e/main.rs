//! Everything that runs against real nodes and processes, in one binary: it links once. Never skips:
//! where a program is missing, the test fails and says how to get it.

// The attribute says nothing to cargo; it tells clippy that the fixtures may unwrap as tests do.
#[cfg(test)]
mod at_rest;
#[cfg(test)]
mod backends;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod deposits;
#[cfg(test)]
mod ecdsa;
#[cfg(test)]
mod ed25519;
#[cfg(test)]
mod expiry;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod hsm;
#[cfg(test)]
mod multisig;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod restored;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod spine;
#[cfg(test)]
mod stuck;
#[cfg(test)]
mod waiting;
