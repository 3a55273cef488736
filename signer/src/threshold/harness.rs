//! Machines that talk to one another, for tests: everything that is said goes over a wire on which a
//! test may change it. It never looks into a machine.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "it is of tests alone")]

use std::collections::BTreeMap;

use strongroom_secrets::Secret;
use uuid::Uuid;

use super::{ByHolder, Heard, Machine, RoundError, Said, Step};
use crate::frost::ShareName;

/// What one holder said in a round, as it goes over the wire.
pub(crate) struct Round {
    pub(crate) spoken: ByHolder<Vec<u8>>,
    pub(crate) letters: BTreeMap<u16, ByHolder<Secret>>,
}

impl Round {
    fn collect(said: BTreeMap<u16, Said>) -> Self {
        let mut round = Self { spoken: ByHolder::new(), letters: BTreeMap::new() };
        for (sender, said) in said {
            round.spoken.insert(sender, said.spoken);
            for (receiver, letter) in said.letters {
                round.letters.entry(receiver).or_default().insert(sender, letter);
            }
        }
        round
    }

    /// Changes a letter on its way, as only its sender could.
    pub(crate) fn forge(&mut self, sender: u16, receiver: u16, change: impl FnOnce(&mut Vec<u8>)) {
        let letters = self.letters.get_mut(&receiver).unwrap();
        let mut bytes = letters[&sender].expose().to_vec();
        change(&mut bytes);
        letters.insert(sender, Secret::new(bytes));
    }
}

/// Runs machines to their end; `meddle` may change what is on the wire before each round.
pub(crate) fn run<M: Machine>(
    begun: BTreeMap<u16, (M, Said)>,
    mut meddle: impl FnMut(usize, &mut Round),
) -> BTreeMap<u16, Result<M::Output, RoundError>> {
    let (mut machines, mut said) = (BTreeMap::new(), BTreeMap::new());
    for (holder, (machine, spoken)) in begun {
        machines.insert(holder, machine);
        said.insert(holder, spoken);
    }
    let mut ended = BTreeMap::new();
    for number in 1.. {
        let mut round = Round::collect(std::mem::take(&mut said));
        meddle(number, &mut round);
        let none = ByHolder::new();
        for (holder, machine) in std::mem::take(&mut machines) {
            let awaited = machine.awaits();
            let spoken = if awaited.spoken.is_empty() { &none } else { &round.spoken };
            let empty = ByHolder::new();
            let letters = round.letters.get(&holder).unwrap_or(&empty);
            match machine.step(&Heard { spoken, letters }) {
                Ok(Step::Said(machine, spoken)) => {
                    machines.insert(holder, machine);
                    said.insert(holder, spoken);
                }
                Ok(Step::Done(output)) => drop(ended.insert(holder, Ok(output))),
                Err(error) => drop(ended.insert(holder, Err(error))),
            }
        }
        if machines.is_empty() || !ended.is_empty() {
            break;
        }
    }
    ended
}

pub(crate) fn name(holder: u16, epoch: u32) -> ShareName {
    ShareName { key: Uuid::from_u128(1), signer: Uuid::from_u128(holder.into()), epoch }
}

pub(crate) fn honest<K: Ord, T>(ended: BTreeMap<K, Result<T, RoundError>>) -> BTreeMap<K, T> {
    ended.into_iter().map(|(key, result)| (key, result.unwrap())).collect()
}
