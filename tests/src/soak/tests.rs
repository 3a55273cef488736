//! The script, without processes.

use std::time::Duration;

use super::storm::{Climate, Fault, script};

const CLIMATE: Climate = Climate {
    gap: (Duration::from_millis(500), Duration::from_secs(6)),
    lasts: (Duration::from_secs(1), Duration::from_secs(10)),
    length: Duration::from_mins(20),
};

#[test]
fn a_seed_is_one_storm_and_another_seed_another() {
    assert_eq!(script(1, CLIMATE), script(1, CLIMATE));
    assert_ne!(script(1, CLIMATE), script(2, CLIMATE));
}

#[test]
fn a_long_storm_has_every_kind_of_failure_and_hits_nothing_that_is_down() {
    for seed in 0..20 {
        let blows = script(seed, CLIMATE);
        let kinds: std::collections::BTreeSet<_> =
            blows.iter().map(|blow| blow.fault.name()).collect();
        assert_eq!(kinds.len(), 10, "{kinds:?}");
        for (number, blow) in blows.iter().enumerate() {
            assert!(blow.until() <= CLIMATE.length);
            for other in &blows[..number] {
                let apart = other.until() < blow.at;
                let same = |fault: Fault| fault.away().first() == blow.fault.away().first();
                assert!(apart || blow.fault.away().is_empty() || !same(other.fault), "{blow}");
            }
        }
    }
}
