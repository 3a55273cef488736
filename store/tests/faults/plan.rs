//! What goes wrong in one run of a history, drawn from its seed. Never looks at the log.

use crate::disk::{End, Fault};
use crate::random::Random;

/// One run: from a start of the machine to its end.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) faults: Vec<Fault>,
    pub(crate) steps: u64,
    pub(crate) end: End,
}

impl Plan {
    /// `lies` allows a disk that lies.
    pub(crate) fn draw(random: &mut Random, used: usize, lies: bool) -> Self {
        let mut faults = Vec::new();
        match random.below(if lies { 12 } else { 9 }) {
            0 => {}
            1 | 2 => faults
                .push(Fault::SyncFails { at: random.scaled(40), forgotten: random.once_in(2) }),
            3 => faults.push(Fault::Full {
                bytes: used + usize::try_from(random.scaled(400_000)).unwrap(),
            }),
            4 => faults.push(Fault::WriteFails { at: random.scaled(400) }),
            5 => faults.push(Fault::ReadFails { at: random.scaled(60) }),
            6 => faults.push(Fault::ReadShort { at: random.scaled(60) }),
            7 => faults.push(Fault::PowerCut { at: random.scaled(500) }),
            8 => faults.push(Fault::Kill { at: random.scaled(500) }),
            _ => {
                faults.push(Fault::SyncLies { from: random.scaled(20) });
                faults.push(Fault::PowerCut { at: 20 + random.scaled(500) });
            }
        }
        let end = if random.once_in(2) { End::PowerCut } else { End::Kill };
        Self { faults, steps: 4 + random.below(14), end }
    }
}
