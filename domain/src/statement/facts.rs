//! What a price source and compliance put their name to. Nothing here ever signs.

use crate::{Address, LogId, Network, PersonId, Timestamp, price::Quote, screening::Verdict};

/// What the policy's price source signs with its Ed25519 key. It names no log: one source serves
/// many institutions.
pub fn price(quote: &Quote) -> String {
    let Quote { asset, reference, minor_units, at } = quote;
    format!(
        "Strongroom price, version 1\n\nOne whole unit of:  {asset}\nIs worth:           \
         {minor_units} minor units of {reference}\nAt:                 {at}\n"
    )
}

/// What a person of compliance signs with one of their approval keys.
pub fn screening(
    log: LogId,
    (network, address): (Network, &Address),
    verdict: Verdict,
    (by, at): (PersonId, Timestamp),
) -> String {
    format!(
        "Strongroom screening, version 1\n\nI, person {by}, looked at this destination.\n\
         Destination:  {address}\nOn:           {network}\nFound:        {}\nAt:           {at}\n\
         Log:          {log}\n",
        verdict.name()
    )
}
