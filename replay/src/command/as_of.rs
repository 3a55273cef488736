//! `as-of`. Never says what stands now: only what stood then.

use crate::output::{Output, Progress, both_sides, object, say};
use crate::pins::{Pins, Place};
use clap::Args;
use strongroom_domain::charter::Governing;
use strongroom_replay::{Finding, Moment, Standings, as_of, ledger_account, quantity};

/// What stood at a moment.
#[derive(Args)]
pub(crate) struct AsOf {
    /// A position, or a time such as 2026-11-22T17:18:00Z (UTC, by the server's clock).
    moment: Moment,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pins: Pins,
}

impl AsOf {
    pub(crate) fn run(&self, output: &Output) -> Result<u8, Finding> {
        let expected = self.pins.expected()?;
        let source = self.place.open()?;
        let progress = Progress::of(source.length());
        let stood = as_of(source, expected, self.moment, |position| progress.at(position))?;
        progress.end();
        if output.json {
            object(&stood);
        } else {
            page(&stood);
            output.unpinned(&expected);
        }
        Ok(0)
    }
}

fn page(it: &Standings) {
    say(&format!("as of         entry {} at {}", it.head.position, it.time));
    say(&format!("leaf          {}", it.head.leaf));
    say(&format!("tree          {}:{}", it.tree.size, it.tree.root));
    say(&format!("origin        {}", it.origin));
    say(&format!("state digest  {}", it.state_digest));
    if !it.whole {
        say("NOTE the entry is in the middle of what was appended together");
    }
    say("\naccounts");
    for of in &it.accounts {
        say(&format!(
            "  {} of client {} on {}: {}, pending {}, available {}, shortfall {}",
            of.account,
            of.client,
            of.asset.network(),
            quantity(of.total, of.asset),
            quantity(of.pending, of.asset),
            quantity(of.available, of.asset),
            quantity(of.shortfall, of.asset)
        ));
        for (transfer, amount) in &of.holds {
            say(&format!("    hold of {} for transfer {transfer}", quantity(*amount, of.asset)));
        }
    }
    say("\nledger");
    for of in &it.ledger {
        let account = ledger_account(of.account);
        say(&format!("  {account}: {}", both_sides(of.asset, &of.totals)));
    }
    for (asset, of) in &it.assets {
        say(&format!("  all of {asset}: {}", both_sides(*asset, of)));
    }
    say(&format!("\npolicy        version {}", it.policy.version()));
    if let Ok(text) = serde_json::to_string_pretty(&it.policy) {
        text.lines().for_each(|line| say(&format!("  {line}")));
    }
    people(it);
    custody(it);
}

fn people(it: &Standings) {
    say(&format!("\npeople        {}", it.people.len()));
    for person in &it.people {
        let roles: Vec<_> = person.roles.iter().map(|role| format!("{role:?}")).collect();
        let keys = person.approval_keys.len();
        say(&format!("  {} {} ({keys} approval keys)", person.id, roles.join(", ").to_lowercase()));
    }
    match &it.governance {
        Governing::V1(quorum) => {
            let (needed, group) = (quorum.approvals, quorum.group.len());
            say(&format!("  keys and policies need {needed} of {group}"));
        }
        Governing::V2(of) => {
            let lists = [
                ("policies", &of.policy),
                ("people", &of.people),
                ("keys", &of.keys),
                ("releases", &of.release),
            ];
            for (what, list) in lists {
                let parts: Vec<_> =
                    list.iter().map(|one| format!("{} of {}", one.approvals, one.group)).collect();
                say(&format!("  {what} need {}", parts.join(" and ")));
            }
            say(&format!("  an approved policy waits {} s", of.policy_delay_s));
        }
    }
    if let Some(witnessing) = &it.witnessing {
        let (needed, outside) = (witnessing.threshold, witnessing.outside.len());
        let all = it.signers.len().saturating_add(outside);
        say(&format!("  checkpoints need {needed} of {all} witnesses, {outside} of them outside"));
    }
}

fn custody(it: &Standings) {
    let addresses: usize = it.wallets.iter().map(|wallet| wallet.addresses).sum();
    say(&format!("\nwallets       {} with {addresses} addresses", it.wallets.len()));
    for of in &it.wallets {
        let (wallet, network, key) = (of.wallet, of.network, of.key);
        say(&format!("  {wallet} on {network}, key {key}, {} addresses", of.addresses));
    }
    say("\nkeys");
    for of in &it.keys {
        let (protocol, holders) = (of.protocol.unwrap_or("unknown"), of.participants.len());
        let needed = of.threshold.unwrap_or_default();
        say(&format!("  {} {}: {protocol}, {needed} of {holders}", of.key, of.state));
    }
    say("\nsigners");
    it.signers.iter().for_each(|(id, state)| say(&format!("  {id} {state}")));
    say("\nopen proposals");
    for of in &it.proposals {
        let (yes, no) = (of.approved_by.len(), of.declined_by.len());
        let needed = of.opened.quorums.approvals();
        say(&format!(
            "  {} {}: {yes} of {needed} approvals, {no} declined, until {}",
            of.proposal, of.state, of.opened.expires_at
        ));
    }
    say("\ntransfers under way");
    it.transfers.iter().for_each(|(id, state)| say(&format!("  {id} {state}")));
}
