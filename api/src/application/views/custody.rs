//! Keys, wallets, addresses, deposits, signers, charter and policy, as callers see them.

use strongroom_chains::hd::shown;
use strongroom_domain::{AddressPath, KeyId, key::Protocol};
use strongroom_projections::{
    AddressRow, CharterRow, DepositRow, KeyProof, KeyRow, KeyState, KeyStepRow, SignerRow,
    WalletRow,
};

use super::{Json, all, json, maybe, money::Sides, texts, views};

views! {
    /// A wallet.
    Wallet from WalletRow as row {
        /// Which.
        wallet: String = row.wallet.to_string(),
        /// Where it began.
        position: u64 = row.position,
        /// When.
        created_at: String = row.created_at.to_string(),
        /// Where it holds funds.
        network: String = row.network.to_string(),
        /// Who signs.
        key: String = row.key.to_string(),
        /// How its keys are kept.
        #[schema(value_type = Object)]
        tier: Json = json(&row.tier),
        /// What it holds for clients, by the ledger: by debits.
        custody: Sides = row.custody.into(),
        /// How many addresses it has.
        address_count: u64 = row.addresses,
        /// The wallet that takes its place, once a quorum gave it up.
        successor: Option<String> = maybe(row.successor),
        /// What the emptying of a wallet that was given up waits for.
        waiting: Option<String> = None,
    }
    /// A page of wallets.
    WalletPage {
        /// The wallets.
        items: Vec<Wallet>,
        /// `after` of the next page, where there may be one.
        next: Option<u64>,
    }
    /// An address of a wallet.
    Address from AddressRow as row {
        /// Where it was derived.
        position: u64 = row.position,
        /// When.
        derived_at: String = row.derived_at.to_string(),
        /// Whose.
        wallet: String = row.wallet.to_string(),
        /// The address.
        address: String = row.address.to_string(),
        /// How it is derived: `branch/index`.
        path: String = row.path.to_string(),
        /// The same with the key that it lies below, such as `m/0/7 of key …`.
        full_path: String = full_path(row.key, &row.protocol, row.path),
        /// Whether the 20 deposit addresses before it are unused: a wallet that only knows the key
        /// looks no further (BIP 44), so tell it how far to look.
        beyond_gap: bool = row.beyond_gap,
        /// Whose deposits arrive there; nobody's where it is for change.
        account: Option<String> = maybe(row.account),
    }
    /// A wallet and its first 500 addresses.
    WalletDetail {
        /// The wallet.
        wallet: Wallet,
        /// Its addresses.
        addresses: Vec<Address>,
    }
    /// A key.
    Key from KeyRow as row {
        /// Which.
        key: String = row.key.to_string(),
        /// Where it was asked for.
        position: u64 = row.position,
        /// When.
        requested_at: String = row.requested_at.to_string(),
        /// How it is made and used.
        protocol: String = row.protocol,
        /// Shares needed to sign.
        threshold: u32 = row.threshold.into(),
        /// Who holds them.
        participants: Vec<String> = texts(&row.participants),
        /// The question to the quorum.
        proposal: String = row.proposal.to_string(),
        /// Who asked.
        maker: String = row.maker.to_string(),
        /// How far it is. `unproven`: it exists, and no wallet can be created on it before it has
        /// shown that it can sign.
        state: String = key_state(row.state, row.proof),
        /// SEC 1 compressed, once it exists.
        public_key: Option<String> = maybe(row.public_key),
        /// The wallet that it signs for.
        wallet: Option<String> = maybe(row.wallet),
        /// Which shares of it are in use: 1 as it was made.
        epoch: u32 = row.epoch,
        /// Whether it has shown that it can sign: `not-asked`, `awaited` or `given`.
        proof: String = row.proof.to_string(),
        /// A change of its shares that is asked for or under way.
        #[schema(value_type = Option<Object>)]
        change: Option<Json> = row.change.as_ref().map(json),
        /// What became of the last change of its shares, or try, that came to nothing.
        change_because: Option<String> = row.change_because,
        /// Why it failed or was quarantined.
        because: Option<String> = row.because,
        /// Who is proven to have cheated.
        culprit: Option<String> = maybe(row.culprit),
        /// What its ceremony waits for, where a person may want to know.
        waiting: Option<String> = None,
        /// When it came to this state.
        changed_at: String = row.changed_at.to_string(),
        /// What each holder has done in the ceremony.
        steps: Vec<KeyStep> = all(row.steps),
        /// The last backup of each holder's share, and when its drill is due.
        backups: Vec<KeyBackup> = Vec::new(),
        /// Holders of a key in shares that have no backup of the share in use.
        not_backed_up: Vec<String> = Vec::new(),
    }
    /// A backup of a share: pieces that officers keep.
    KeyBackup {
        /// Whose share.
        signer: String,
        /// Of which shares of the key.
        epoch: u32,
        /// Whether those are the shares in use. Else its pieces restore nothing.
        in_use: bool,
        /// How many pieces restore it.
        threshold: u32,
        /// Who has one, in the order of the pieces.
        officers: Vec<String>,
        /// When it was made, by the signer's clock.
        taken_at: String,
        /// When officers last showed that it can be used, by the signer's clock.
        drilled_at: Option<String>,
        /// Until when they should do so again.
        drill_due_at: String,
        /// Whether they should have.
        drill_overdue: bool,
    }
    /// What a holder has done in a ceremony.
    KeyStep from KeyStepRow as row {
        /// Where.
        position: u64 = row.position,
        /// When.
        taken_at: String = row.taken_at.to_string(),
        /// Who.
        signer: String = row.signer.to_string(),
        /// What.
        step: String = row.step.to_string(),
    }
    /// A page of keys.
    KeyPage {
        /// The keys.
        items: Vec<Key>,
        /// `after` of the next page, where there may be one.
        next: Option<u64>,
    }
    /// A deposit.
    Deposit from DepositRow as row {
        /// Which.
        deposit: String = row.deposit.to_string(),
        /// Where it was first seen.
        position: u64 = row.position,
        /// When.
        seen_at: String = row.seen_at.to_string(),
        /// Whose address.
        wallet: String = row.wallet.to_string(),
        /// Whose money.
        account: String = row.account.to_string(),
        /// Which address.
        address: String = row.address.to_string(),
        /// In what.
        asset: String = row.asset.to_string(),
        /// How much.
        amount: String = row.amount.to_string(),
        /// The outpoint, or the transaction's hash.
        place: String = row.place,
        /// The height of the block it is in, or was.
        block_height: u64 = row.block.height,
        /// That block's hash.
        block_hash: String = row.block.hash,
        /// How many confirmations it had when it was credited.
        confirmations: Option<u32> = row.confirmations,
        /// How far it is.
        state: String = row.state.to_string(),
        /// When it came to this state.
        changed_at: String = row.changed_at.to_string(),
    }
    /// A page of deposits.
    DepositPage {
        /// The deposits.
        items: Vec<Deposit>,
        /// `after` of the next page, where there may be one.
        next: Option<u64>,
    }
    /// A signer.
    Signer from SignerRow as row {
        /// Which.
        signer: String = row.signer.to_string(),
        /// Where it was enrolled.
        position: u64 = row.position,
        /// Ed25519.
        identity_key: String = row.identity_key.to_string(),
        /// SHA-256 of its TLS certificate's DER.
        tls_certificate_sha256: String = row.tls_certificate_sha256.to_string(),
        /// How the server last found it.
        state: String = row.state.to_string(),
        /// What the server saw when it lost it.
        because: Option<String> = row.because,
        /// Which officer quarantined it: no other signer works with it.
        quarantined_by: Option<String> = maybe(row.quarantined_by),
        /// Why.
        quarantined_because: Option<String> = row.quarantined_because,
        /// Whether a quorum retired it.
        retired: bool = row.retired,
        /// The keys that it holds, or has a share of.
        keys: Vec<String> = texts(&row.keys),
        /// When it came to this state.
        changed_at: String = row.changed_at.to_string(),
        /// Keys that it can't use just now, though it answers: its token is away, hangs or is damaged.
        /// It is asked again and again whether it can.
        unusable: Vec<UnusableKey> = Vec::new(),
    }
    /// A key that a signer can't use just now.
    UnusableKey {
        /// Which.
        key: String,
        /// What the signer said.
        because: String,
    }
    /// A page of signers.
    SignerPage {
        /// The signers.
        items: Vec<Signer>,
        /// `after` of the next page, where there may be one.
        next: Option<u64>,
    }
    /// The charter, as it was founded.
    Charter from CharterRow as row {
        /// The leaf hash of entry 1: what signers pin.
        genesis: String = row.genesis.leaf.to_string(),
        /// When the log was founded.
        founded_at: String = row.founded_at.to_string(),
        /// People, roles, keys, signers, quorums and the first policy.
        #[schema(value_type = Object)]
        charter: Json = json(&row.charter),
    }
    /// The policy in force.
    PolicyInForce from CharterRow as row {
        /// Its version.
        version: u32 = version(&row.policy),
        /// The entry that put it in force.
        position: u64 = row.policy_position,
        /// All of it.
        #[schema(value_type = Object)]
        policy: Json = json(&row.policy),
    }
}

/// As `chains` writes it; of a protocol that this program does not know, the path alone.
fn full_path(key: KeyId, protocol: &str, path: AddressPath) -> String {
    let known = Protocol::ALL.into_iter().find(|known| known.name() == protocol);
    known.map_or_else(|| path.to_string(), |known| shown(key, known, path))
}

/// Of a policy of any form.
fn version(policy: &serde_json::Value) -> u32 {
    let version = policy.get("version").and_then(serde_json::Value::as_u64);
    version.and_then(|version| u32::try_from(version).ok()).unwrap_or_default()
}

/// A key that has to show that it can sign is not called active before it has.
fn key_state(state: KeyState, proof: KeyProof) -> String {
    match (state, proof) {
        (KeyState::Active, KeyProof::Awaited) => "unproven".to_owned(),
        (state, _) => state.to_string(),
    }
}
