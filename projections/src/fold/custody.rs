//! What the events of the charter, wallets, deposits and signers change. Never follows a wallet's
//! coins or account nonces: those are for deciding, and decisions are not made on read models.

use super::At;
use crate::change::{Change, int, json, maybe, text};
use crate::states::{DepositState, SignerState};
use rusqlite::types::Value;
use strongroom_domain::{
    Branch, DepositId, PersonId, SignerId, WalletId,
    account::JournalEntry,
    charter::{CharterEvent, SignerChange},
    deposit::DepositEvent,
    person::PersonEvent,
    signer::SignerEvent,
    wallet::WalletEvent,
};

pub(super) fn charter(at: At<'_>, event: &CharterEvent, out: &mut Vec<Change>) {
    let changed = |kind: &str, proposal: Value, officer: Value, change: Value| {
        Change::insert(
            "charter_changes",
            [
                ("position", at.position()),
                ("changed_at", at.time()),
                ("kind", text(kind)),
                ("proposal", proposal),
                ("officer", officer),
                ("change", change),
            ],
        )
    };
    let put_in_force = |policy: Value| {
        Change::update(
            "charter",
            [("id", int(1_u64))],
            [("policy", policy), ("policy_position", at.position())],
        )
    };
    let last = match event {
        CharterEvent::Founded(founded) => {
            founded_by(at, json(&founded.charter), json(&founded.charter.policy))
        }
        CharterEvent::PolicyChanged(of) => {
            let policy = json(&of.policy);
            out.push(changed("policy", text(of.proposal), Value::Null, policy.clone()));
            put_in_force(policy)
        }
        CharterEvent::PolicyTightened(of) => {
            let policy = json(&of.policy);
            out.push(changed("policy-tightened", Value::Null, text(of.by), policy.clone()));
            put_in_force(policy)
        }
        CharterEvent::PeopleChanged(of) => {
            changed(of.change.name(), text(of.proposal), Value::Null, json(&of.change))
        }
        CharterEvent::SignersChanged(of) => {
            if let SignerChange::Retire { signer } = of.change {
                let row = [("signer", text(signer))];
                out.push(Change::update("signers", row, [("retired", int(1_u64))]));
            }
            changed(of.change.name(), text(of.proposal), Value::Null, json(&of.change))
        }
        CharterEvent::FoundedV2(founded) => {
            founded_by(at, json(&founded.charter), json(&founded.charter.policy))
        }
        CharterEvent::FoundedV1(founded) => {
            founded_by(at, json(&founded.charter), json(&founded.charter.policy))
        }
        // The charter's text stands; that the log went on is an entry like any other.
        CharterEvent::LogResumed(_) => return,
        CharterEvent::PolicyChangedV1(of) => {
            let policy = json(&of.policy);
            out.push(changed("policy", text(of.proposal), Value::Null, policy.clone()));
            put_in_force(policy)
        }
    };
    out.push(last);
}

/// The charter's only row.
fn founded_by(at: At<'_>, charter: Value, policy: Value) -> Change {
    Change::insert(
        "charter",
        [
            ("id", int(1_u64)),
            ("position", at.position()),
            ("leaf", at.leaf()),
            ("founded_at", at.time()),
            ("charter", charter),
            ("policy", policy),
            ("policy_position", at.position()),
        ],
    )
}

pub(super) fn wallet(at: At<'_>, wallet: WalletId, event: &WalletEvent, out: &mut Vec<Change>) {
    match event {
        WalletEvent::Created(created) => out.push(Change::insert(
            "wallets",
            [
                ("wallet", text(wallet)),
                ("position", at.position()),
                ("created_at", at.time()),
                ("network", text(created.network)),
                ("key", text(created.key)),
                ("tier", json(&created.tier)),
            ],
        )),
        WalletEvent::AddressDerived(derived) => out.push(Change::insert(
            "addresses",
            [
                ("position", at.position()),
                ("derived_at", at.time()),
                ("wallet", text(wallet)),
                ("address", text(&derived.address)),
                ("branch", text(branch(derived.path.branch))),
                ("number", int(derived.path.index)),
                ("account", maybe(derived.account)),
            ],
        )),
        WalletEvent::RotationApproved(approved) => out.push(Change::update(
            "wallets",
            [("wallet", text(wallet))],
            [("successor", text(approved.rotation.successor))],
        )),
        WalletEvent::Swept(swept) => {
            let post =
                |entry: &JournalEntry| Change::PostIn { asset: swept.asset, entry: entry.clone() };
            out.extend(swept.entries.iter().map(post));
        }
        WalletEvent::CoinAdded(_)
        | WalletEvent::CoinRemoved(_)
        | WalletEvent::CoinsReserved(_)
        | WalletEvent::CoinsReleased(_)
        | WalletEvent::CoinsSpent(_)
        | WalletEvent::FundsReceived(_)
        | WalletEvent::FundsReversed(_)
        | WalletEvent::AccountNonceReserved(_)
        | WalletEvent::AccountNonceRaised(_)
        | WalletEvent::NonceGapFound(_)
        | WalletEvent::AccountNonceReleased(_)
        | WalletEvent::AccountNonceUsed(_) => {}
    }
}

const fn branch(branch: Branch) -> &'static str {
    match branch {
        Branch::Deposit => "deposit",
        Branch::Change => "change",
    }
}

pub(super) fn deposit(at: At<'_>, deposit: DepositId, event: &DepositEvent, out: &mut Vec<Change>) {
    let change = |state: DepositState, mut cells: Vec<(&'static str, Value)>| {
        cells.extend([
            ("state", text(state)),
            ("changed_position", at.position()),
            ("changed_at", at.time()),
        ]);
        Change::Update { table: "deposits", key: vec![("deposit", text(deposit))], cells }
    };
    out.push(match event {
        DepositEvent::Seen(seen) => Change::insert(
            "deposits",
            [
                ("deposit", text(deposit)),
                ("position", at.position()),
                ("seen_at", at.time()),
                ("wallet", text(seen.wallet)),
                ("account", text(seen.account)),
                ("address", text(&seen.address)),
                ("amount", text(seen.amount)),
                ("place", text(&seen.place)),
                ("block_height", int(seen.block.height)),
                ("block_hash", text(&seen.block.hash)),
                ("state", text(DepositState::Confirming)),
                ("changed_position", at.position()),
                ("changed_at", at.time()),
            ],
        ),
        DepositEvent::Credited(credited) => {
            change(DepositState::Credited, vec![("confirmations", int(credited.confirmations))])
        }
        DepositEvent::Reorganised(_) => {
            change(DepositState::Reorganised, vec![("confirmations", Value::Null)])
        }
        DepositEvent::SeenAgain(again) => change(
            DepositState::Confirming,
            vec![
                ("block_height", int(again.block.height)),
                ("block_hash", text(&again.block.hash)),
            ],
        ),
    });
}

pub(super) fn signer(at: At<'_>, signer: SignerId, event: &SignerEvent, out: &mut Vec<Change>) {
    let change = |state: SignerState, because: Value| {
        Change::update(
            "signers",
            [("signer", text(signer))],
            [
                ("state", text(state)),
                ("because", because),
                ("changed_position", at.position()),
                ("changed_at", at.time()),
            ],
        )
    };
    out.push(match event {
        SignerEvent::Quarantined(of) => trust(at, signer, text(of.by), text(&of.because)),
        SignerEvent::Released(_) => trust(at, signer, Value::Null, Value::Null),
        SignerEvent::Enrolled(enrolled) => Change::insert(
            "signers",
            [
                ("signer", text(signer)),
                ("position", at.position()),
                ("identity_key", text(&enrolled.identity_key)),
                ("tls_certificate_sha256", text(enrolled.tls_certificate_sha256)),
                ("state", text(SignerState::Enrolled)),
                ("retired", int(0_u64)),
                ("changed_position", at.position()),
                ("changed_at", at.time()),
            ],
        ),
        SignerEvent::Reached(_) => change(SignerState::Active, Value::Null),
        SignerEvent::Lost(lost) => change(SignerState::Unreachable, text(&lost.because)),
    });
}

/// Whether others work with a signer.
fn trust(at: At<'_>, signer: SignerId, by: Value, because: Value) -> Change {
    Change::update(
        "signers",
        [("signer", text(signer))],
        [
            ("quarantined_by", by),
            ("quarantined_because", because),
            ("changed_position", at.position()),
            ("changed_at", at.time()),
        ],
    )
}

pub(super) fn person(at: At<'_>, person: PersonId, event: &PersonEvent, out: &mut Vec<Change>) {
    let (state, because) = match event {
        PersonEvent::Described(_) => ("described", Value::Null),
        PersonEvent::Erased(erased) => ("erased", text(&erased.because)),
    };
    out.push(Change::insert(
        "personal",
        [
            ("position", at.position()),
            ("at", at.time()),
            ("person", text(person)),
            ("state", text(state)),
            ("because", because),
        ],
    ));
}
