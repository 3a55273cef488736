//! What stood at a moment of a log, which is verified up to there. Never from a read model: from the
//! audited fold and the journal entries.

use crate::{
    books::Totals,
    finding::{Fault, Finding},
    source::Source,
    spine::Expected,
    verifier::{Verifier, walk},
};
use serde::Serialize;
use std::collections::BTreeMap;
use strongroom_domain::{
    AccountId, Amount, Asset, Bytes, ClientId, Head, KeyId, Network, PersonId, ProposalId,
    Recorded, SignerId, State, Timestamp, TransferId, WalletId,
    account::LedgerAccount,
    charter::{Governing, Person, Witnessing},
    key::Key,
    policy::InForce,
    proposal::{Opened, Proposal},
};
use strongroom_ledger::TreeHead;

/// A moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// Behind the entry at this position.
    Position(u64),
    /// Behind the last entry that is not later than this, by the server's clock.
    Time(Timestamp),
}

/// Text that names no moment.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no moment: expected a position from 1, or a time such as 2026-11-22T17:18:00Z")]
pub struct MomentError(String);

impl std::str::FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        if let Ok(position) = text.parse() {
            return if position > 0 {
                Ok(Self::Position(position))
            } else {
                Err(MomentError(text.to_owned()))
            };
        }
        // The log's own spelling has six digits of a second; people write fewer.
        let whole = text.strip_suffix('Z').unwrap_or(text);
        let (seconds, fraction) = whole.split_once('.').unwrap_or((whole, ""));
        let seconds =
            if seconds.contains('T') { seconds.to_owned() } else { format!("{seconds}T00:00:00") };
        let spelled = format!("{seconds}.{fraction:0<6}Z");
        spelled.parse().map(Self::Time).map_err(|_| MomentError(text.to_owned()))
    }
}

/// All that stood.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Standings {
    /// The last entry before the moment ended.
    pub head: Head,
    /// When it was written.
    pub time: Timestamp,
    /// The tree up to there.
    pub tree: TreeHead,
    /// Whoever holds the same log at the same place has the same.
    pub state_digest: String,
    /// Whether that entry ends what was appended with it.
    pub whole: bool,
    /// The log's name in checkpoints.
    pub origin: String,
    /// What clients own.
    pub accounts: Vec<AccountStanding>,
    /// Every account of the ledger.
    pub ledger: Vec<LedgerStanding>,
    /// Both sides of every asset.
    pub assets: BTreeMap<Asset, Totals>,
    /// The policy in force.
    pub policy: InForce,
    /// Who decides about keys and the policy.
    pub governance: Governing,
    /// Everyone with a role.
    pub people: Vec<Person>,
    /// Whose cosignatures make a checkpoint count.
    pub witnessing: Option<Witnessing>,
    /// Wallets.
    pub wallets: Vec<WalletStanding>,
    /// Keys.
    pub keys: Vec<KeyStanding>,
    /// Signers, and how the server last found each.
    pub signers: BTreeMap<SignerId, &'static str>,
    /// Questions that wait for answers, or for what was approved.
    pub proposals: Vec<ProposalStanding>,
    /// Transfers that are not over, by id.
    pub transfers: BTreeMap<TransferId, &'static str>,
}

/// A client's account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AccountStanding {
    /// Which.
    pub account: AccountId,
    /// Whose.
    pub client: ClientId,
    /// In what.
    pub asset: Asset,
    /// What we owe, holds included.
    pub total: Amount,
    /// What holds set aside.
    pub pending: Amount,
    /// What can be set aside.
    pub available: Amount,
    /// What the client owes us.
    pub shortfall: Amount,
    /// By transfer.
    pub holds: BTreeMap<TransferId, Amount>,
}

/// An account of the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LedgerStanding {
    /// Which.
    pub account: LedgerAccount,
    /// In what.
    pub asset: Asset,
    /// Both sides.
    pub totals: Totals,
}

/// A wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WalletStanding {
    /// Which.
    pub wallet: WalletId,
    /// Where.
    pub network: Network,
    /// Who signs.
    pub key: KeyId,
    /// How many addresses it has.
    pub addresses: usize,
}

/// A key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KeyStanding {
    /// Which.
    pub key: KeyId,
    /// How far it is.
    pub state: &'static str,
    /// How it signs.
    pub protocol: Option<&'static str>,
    /// Shares that it takes.
    pub threshold: Option<u16>,
    /// Who holds them.
    pub participants: Vec<SignerId>,
    /// SEC 1 compressed.
    pub public_key: Option<Bytes>,
    /// The one wallet that it signs for.
    pub wallet: Option<WalletId>,
}

/// A question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProposalStanding {
    /// Which.
    pub proposal: ProposalId,
    /// How far it is.
    pub state: &'static str,
    /// What was asked.
    pub opened: Opened,
    /// Who agreed.
    pub approved_by: Vec<PersonId>,
    /// Who did not.
    pub declined_by: Vec<PersonId>,
}

/// Verifies a log up to a moment, and says what stood then.
pub fn as_of(
    source: Source,
    expected: Expected,
    moment: Moment,
    mut progress: impl FnMut(u64),
) -> Result<Standings, Finding> {
    let mut verifier = Verifier::new(expected);
    let after = |recorded: &Recorded| match moment {
        Moment::Position(position) => recorded.head.position > position,
        Moment::Time(time) => recorded.time > time,
    };
    walk(source, &mut verifier, after, |judged| {
        progress(judged.recorded.head.position);
        Ok(())
    })?;
    let found = verifier.state().head.position;
    let message = match moment {
        Moment::Position(wanted) if wanted > found => {
            format!("the log ends at entry {found}: entry {wanted} is not in it")
        }
        Moment::Time(time) if found == 0 => format!("the log begins after {time}"),
        Moment::Position(_) | Moment::Time(_) => return standings(&verifier),
    };
    Err(Finding::of(Fault::NotThere, message))
}

fn standings(verifier: &Verifier) -> Result<Standings, Finding> {
    let state = verifier.state();
    let standing = state.charter.standing();
    let standing = standing.map_err(|it| Finding::of(Fault::Violation, it.to_string()))?;
    let ledger = verifier.books().accounts();
    let open = |name: &str| {
        !["refused", "rejected", "cancelled", "expired", "failed", "confirmed", "abandoned"]
            .contains(&name)
    };
    Ok(Standings {
        head: state.head,
        time: state.time,
        tree: verifier.tree(),
        state_digest: verifier.state_digest()?,
        whole: verifier.is_whole(),
        origin: standing.origin(),
        accounts: accounts(state),
        ledger: ledger
            .map(|(asset, account, totals)| LedgerStanding { account, asset, totals })
            .collect(),
        assets: verifier.books().assets().clone(),
        policy: standing.policy.clone(),
        governance: standing.governance.clone(),
        people: standing.people.values().cloned().collect(),
        witnessing: standing.witnessing.clone(),
        wallets: wallets(state),
        keys: state.keys.iter().map(|(id, key)| key_standing(*id, key)).collect(),
        signers: state.signers.iter().map(|(id, signer)| (*id, signer.name())).collect(),
        proposals: state.proposals.iter().filter_map(|(id, it)| proposal(*id, it)).collect(),
        transfers: state
            .transfers
            .iter()
            .map(|(id, transfer)| (*id, transfer.name()))
            .filter(|(_, name)| open(name))
            .collect(),
    })
}

fn accounts(state: &State) -> Vec<AccountStanding> {
    let claims = state.accounts.iter().filter_map(|(id, it)| Some((*id, it.claim().ok()?)));
    claims
        .map(|(account, claim)| AccountStanding {
            account,
            client: claim.client,
            asset: claim.asset,
            total: claim.total,
            pending: claim.pending(),
            available: claim.available(),
            shortfall: claim.shortfall,
            holds: claim.holds.clone(),
        })
        .collect()
}

fn wallets(state: &State) -> Vec<WalletStanding> {
    let held = state.wallets.iter().filter_map(|(id, it)| Some((*id, it.holding().ok()?)));
    held.map(|(wallet, holding)| WalletStanding {
        wallet,
        network: holding.network,
        key: holding.key,
        addresses: holding.addresses.len(),
    })
    .collect()
}

fn key_standing(id: KeyId, key: &Key) -> KeyStanding {
    let (plan, active) = match key {
        Key::Requested(requested) => (Some(&requested.plan), None),
        Key::Ceremony(ceremony) => (Some(&ceremony.plan), None),
        Key::Active(active) | Key::Quarantined(active) => (Some(&active.plan), Some(active)),
        Key::Unknown | Key::Failed => (None, None),
    };
    KeyStanding {
        key: id,
        state: key.name(),
        protocol: plan.map(|plan| plan.protocol.name()),
        threshold: plan.map(|plan| plan.threshold),
        participants: active
            .map(strongroom_domain::key::Active::signers)
            .or_else(|| plan.map(|plan| plan.participants.clone()))
            .unwrap_or_default(),
        public_key: active.map(|active| active.public_key.clone()),
        wallet: active.and_then(|active| active.wallet),
    }
}

fn proposal(id: ProposalId, proposal: &Proposal) -> Option<ProposalStanding> {
    let answers = proposal.answers()?;
    Some(ProposalStanding {
        proposal: id,
        state: proposal.name(),
        opened: answers.opened.clone(),
        approved_by: answers.approvals.keys().copied().collect(),
        declined_by: answers.declined.iter().copied().collect(),
    })
}
