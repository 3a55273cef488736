//! The charter, wallets, addresses, deposits, keys and signers. Never a secret: the log has none.

use super::{
    View,
    cells::{Cells, damaged},
};
use crate::{
    change::{int, text},
    error::QueryError,
    page::Page,
    rows::{
        AddressRow, BackupRow, CharterRow, DepositRow, KeyRow, KeyStepRow, SignerRow, WalletRow,
    },
    states::DepositState,
};
use strongroom_domain::{
    AccountId, AddressPath, Branch, DepositId, GAP_LIMIT, Head, KeyId, Network, SignerId, WalletId,
    deposit::BlockRef,
};

const WALLETS: &str = "SELECT *, (SELECT count(*) FROM addresses a WHERE a.wallet = wallets.wallet)
  AS addresses FROM wallets";
const DEPOSITS: &str = "SELECT deposits.*, (SELECT asset FROM accounts a
  WHERE a.account = deposits.account) AS asset FROM deposits";

/// An address with its key. One is used when a deposit was seen there that is on the chain.
const ADDRESSES: &str = "SELECT addresses.*, w.key AS key, k.protocol AS protocol,
  (branch = 'deposit' AND number >= ?GAP AND NOT EXISTS (SELECT 1 FROM addresses u
    JOIN deposits d ON d.address = u.address AND d.wallet = u.wallet
    WHERE u.wallet = addresses.wallet AND u.branch = 'deposit' AND d.state <> 'reorganised'
    AND u.number < addresses.number AND u.number >= addresses.number - ?GAP)) AS beyond_gap
  FROM addresses JOIN wallets w ON w.wallet = addresses.wallet JOIN keys k ON k.key = w.key";

/// The last backup of each signer's share of a key. A drill counts for the backup that was there.
const BACKUPS: &str = "SELECT b.*, (SELECT d.taken_at FROM drills d WHERE d.key = b.key
    AND d.signer = b.signer AND d.position > b.position ORDER BY d.position DESC LIMIT 1)
    AS drilled_at
  FROM backups b WHERE b.key = ?1 AND b.position = (SELECT max(position) FROM backups l
    WHERE l.key = b.key AND l.signer = b.signer) ORDER BY b.position";

/// Which deposits. What is `None` does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DepositFilter {
    /// How far they are.
    pub state: Option<DepositState>,
    /// Whose they are.
    pub account: Option<AccountId>,
}

impl View<'_> {
    /// The charter and the policy in force; `None` before the log is founded.
    pub fn charter(&self) -> Result<Option<CharterRow>, QueryError> {
        self.one("SELECT * FROM charter WHERE id = ?1", crate::change::int(1_u64), |cells| {
            Ok(CharterRow {
                genesis: Head { position: cells.number("position")?, leaf: cells.parse("leaf")? },
                founded_at: cells.parse("founded_at")?,
                charter: cells.json("charter")?,
                policy: cells.json("policy")?,
                policy_position: cells.number("policy_position")?,
            })
        })
    }

    /// Wallets.
    pub fn wallets(&self, page: Page) -> Result<Vec<WalletRow>, QueryError> {
        let select = page.select(WALLETS, "position", Vec::new());
        self.list(select, |cells| self.held(cells))
    }

    /// One wallet.
    pub fn wallet(&self, id: WalletId) -> Result<Option<WalletRow>, QueryError> {
        self.one(&format!("{WALLETS} WHERE wallet = ?1"), text(id), |cells| self.held(cells))
    }

    fn held(&self, cells: &Cells<'_>) -> Result<WalletRow, QueryError> {
        let wallet = cells.parse("wallet")?;
        let network: Network = cells.parse("network")?;
        let sql = "SELECT debits, credits FROM ledger
                   WHERE kind = 'custody' AND id = ?1 AND asset = ?2";
        let key = vec![text(wallet), text(network.native_asset())];
        let custody = self.list((sql.to_owned(), key), super::money::sides)?;
        Ok(WalletRow {
            wallet,
            position: cells.number("position")?,
            created_at: cells.parse("created_at")?,
            network,
            key: cells.parse("key")?,
            tier: cells.json("tier")?,
            custody: custody.first().copied().unwrap_or_default(),
            addresses: cells.number("addresses")?,
            successor: cells.maybe_parse("successor")?,
        })
    }

    /// Addresses of a wallet.
    pub fn addresses(&self, wallet: WalletId, page: Page) -> Result<Vec<AddressRow>, QueryError> {
        let filters = vec![("addresses.wallet", text(wallet))];
        self.list(page.select(&addresses(), "addresses.position", filters), address)
    }

    /// Addresses that an account's deposits arrive at.
    pub fn addresses_of_account(
        &self,
        account: AccountId,
        page: Page,
    ) -> Result<Vec<AddressRow>, QueryError> {
        let filters = vec![("addresses.account", text(account))];
        self.list(page.select(&addresses(), "addresses.position", filters), address)
    }

    /// Whether a wallet's deposit address at `index` would lie behind [`GAP_LIMIT`] unused ones.
    pub fn beyond_gap(&self, wallet: WalletId, index: u32) -> Result<bool, QueryError> {
        let sql = "SELECT count(*) AS used FROM addresses u
                   JOIN deposits d ON d.address = u.address AND d.wallet = u.wallet
                   WHERE u.wallet = ?1 AND u.branch = 'deposit' AND d.state <> 'reorganised'
                   AND u.number < ?2 AND u.number >= ?2 - ?3";
        let values = vec![text(wallet), int(index), int(GAP_LIMIT)];
        let used = self.list((sql.to_owned(), values), |cells| cells.number::<u64>("used"))?;
        Ok(index >= GAP_LIMIT && used.first() == Some(&0))
    }

    /// Deposits.
    pub fn deposits(
        &self,
        filter: DepositFilter,
        page: Page,
    ) -> Result<Vec<DepositRow>, QueryError> {
        let filters = [
            filter.state.map(|state| ("state", text(state))),
            filter.account.map(|account| ("account", text(account))),
        ];
        let filters = filters.into_iter().flatten().collect();
        self.list(page.select(DEPOSITS, "position", filters), deposit)
    }

    /// One deposit.
    pub fn deposit(&self, id: DepositId) -> Result<Option<DepositRow>, QueryError> {
        self.one(&format!("{DEPOSITS} WHERE deposit = ?1"), text(id), deposit)
    }

    /// Keys.
    pub fn keys(&self, page: Page) -> Result<Vec<KeyRow>, QueryError> {
        let select = page.select("SELECT * FROM keys", "position", Vec::new());
        self.list(select, |cells| self.made(cells))
    }

    /// One key.
    pub fn key(&self, id: KeyId) -> Result<Option<KeyRow>, QueryError> {
        self.one("SELECT * FROM keys WHERE key = ?1", text(id), |cells| self.made(cells))
    }

    fn made(&self, cells: &Cells<'_>) -> Result<KeyRow, QueryError> {
        let key = cells.parse("key")?;
        let steps = "SELECT * FROM key_steps WHERE key = ?1 ORDER BY position";
        Ok(KeyRow {
            key,
            position: cells.number("position")?,
            requested_at: cells.parse("requested_at")?,
            protocol: cells.text("protocol")?,
            threshold: cells.number("threshold")?,
            participants: cells.json("participants")?,
            proposal: cells.parse("proposal")?,
            maker: cells.parse("maker")?,
            state: cells.parse("state")?,
            public_key: cells.maybe_parse("public_key")?,
            wallet: cells.maybe_parse("wallet")?,
            epoch: cells.number("epoch")?,
            proof: cells.parse("proof")?,
            change: cells.maybe_json("change")?,
            change_because: cells.maybe_text("change_because")?,
            because: cells.maybe_text("because")?,
            culprit: cells.maybe_parse("culprit")?,
            changed_position: cells.number("changed_position")?,
            changed_at: cells.parse("changed_at")?,
            steps: self.list((steps.to_owned(), vec![text(key)]), step)?,
            backups: self.list((BACKUPS.to_owned(), vec![text(key)]), backup)?,
        })
    }

    /// Signers.
    pub fn signers(&self, page: Page) -> Result<Vec<SignerRow>, QueryError> {
        let select = page.select("SELECT * FROM signers", "position", Vec::new());
        self.list(select, |cells| self.enrolled(cells))
    }

    /// One signer.
    pub fn signer(&self, id: SignerId) -> Result<Option<SignerRow>, QueryError> {
        let select = "SELECT * FROM signers WHERE signer = ?1";
        self.one(select, text(id), |cells| self.enrolled(cells))
    }

    fn enrolled(&self, cells: &Cells<'_>) -> Result<SignerRow, QueryError> {
        let signer: SignerId = cells.parse("signer")?;
        let keys = "SELECT key FROM keys WHERE state IN ('active', 'quarantined') AND EXISTS \
                    (SELECT 1 FROM json_each(participants) WHERE value = ?1) ORDER BY position";
        Ok(SignerRow {
            signer,
            position: cells.number("position")?,
            identity_key: cells.parse("identity_key")?,
            tls_certificate_sha256: cells.parse("tls_certificate_sha256")?,
            state: cells.parse("state")?,
            because: cells.maybe_text("because")?,
            quarantined_by: cells.maybe_parse("quarantined_by")?,
            quarantined_because: cells.maybe_text("quarantined_because")?,
            retired: cells.number::<u64>("retired")? == 1,
            keys: self.list((keys.to_owned(), vec![text(signer)]), |key| key.parse("key"))?,
            changed_position: cells.number("changed_position")?,
            changed_at: cells.parse("changed_at")?,
        })
    }
}

fn address(cells: &Cells<'_>) -> Result<AddressRow, QueryError> {
    let branch = cells.text("branch")?;
    let branch = match branch.as_str() {
        "deposit" => Branch::Deposit,
        "change" => Branch::Change,
        _ => return Err(damaged("branch", &branch)),
    };
    Ok(AddressRow {
        position: cells.number("position")?,
        derived_at: cells.parse("derived_at")?,
        wallet: cells.parse("wallet")?,
        address: cells.parse("address")?,
        path: AddressPath { branch, index: cells.number("number")? },
        account: cells.maybe_parse("account")?,
        key: cells.parse("key")?,
        protocol: cells.text("protocol")?,
        beyond_gap: cells.number::<u64>("beyond_gap")? == 1,
    })
}

fn addresses() -> String {
    ADDRESSES.replace("?GAP", &GAP_LIMIT.to_string())
}

fn deposit(cells: &Cells<'_>) -> Result<DepositRow, QueryError> {
    Ok(DepositRow {
        deposit: cells.parse("deposit")?,
        position: cells.number("position")?,
        seen_at: cells.parse("seen_at")?,
        wallet: cells.parse("wallet")?,
        account: cells.parse("account")?,
        address: cells.parse("address")?,
        asset: cells.parse("asset")?,
        amount: cells.parse("amount")?,
        place: cells.text("place")?,
        block: BlockRef { height: cells.number("block_height")?, hash: cells.text("block_hash")? },
        confirmations: cells.maybe_number("confirmations")?,
        state: cells.parse("state")?,
        changed_position: cells.number("changed_position")?,
        changed_at: cells.parse("changed_at")?,
    })
}

fn backup(cells: &Cells<'_>) -> Result<BackupRow, QueryError> {
    Ok(BackupRow {
        signer: cells.parse("signer")?,
        epoch: cells.number("epoch")?,
        taken_at: cells.parse("taken_at")?,
        threshold: cells.number("threshold")?,
        officers: cells.json("officers")?,
        drilled_at: cells.maybe_parse("drilled_at")?,
    })
}

fn step(cells: &Cells<'_>) -> Result<KeyStepRow, QueryError> {
    Ok(KeyStepRow {
        position: cells.number("position")?,
        taken_at: cells.parse("taken_at")?,
        signer: cells.parse("signer")?,
        step: cells.parse("step")?,
    })
}
