//! Whether an attempt's bytes do exactly what its intent says. Everything is derived again from
//! the wallet's key; nothing the server calls "ours" is believed. No key is used here.

use strongroom_chains::{
    SigningPayload, UnsignedTx, bitcoin::multisig::Places, frost::KeyPath, key_address,
};
use strongroom_domain::{
    Address, AddressPath, Amount, Bytes, Intent, KeyId, Network, Refusal, Rule, SignerId,
    TransferId,
    audit::Authorised,
    key::{Active, Custody},
    transfer::Returns,
    wallet::{Funds, Holding},
};

/// An attempt that stands on a quorum and whose bytes do what the intent says. Only [`check`]
/// makes one.
pub struct Checked {
    /// Of which transfer.
    pub transfer: TransferId,
    /// Which.
    pub attempt: u32,
    /// Where it is valid.
    pub network: Network,
    /// Who signs it together.
    pub signers: Vec<SignerId>,
    /// With which key.
    pub key: KeyId,
    /// That key, as the log has it.
    pub active: Active,
    /// What it pulls along, if it is a child.
    pub parent: Option<UnsignedTx>,
    /// What is signed.
    pub unsigned: UnsignedTx,
    /// Its bytes, as the log has them.
    pub bytes: Bytes,
    /// What each input's key signs.
    pub payloads: Vec<SigningPayload>,
}

/// Checks the bytes of an authorised attempt.
pub fn check(authorised: &Authorised<'_>, me: SignerId) -> Result<Checked, Refusal> {
    let (intent, attempt) = (authorised.intent(), authorised.attempt());
    if !attempt.signers.contains(&me) {
        return refuse(Rule::SignerNotInSet, "this attempt is for other signers");
    }
    let network = intent.network();
    let unsigned = UnsignedTx::parse(network, &attempt.unsigned).map_err(mismatch)?;
    let (holding, key) = (authorised.holding(), authorised.key());
    check_cosigners(&unsigned, key)?;
    let owns = |address: &Address| owned(network, holding, key, address);
    let parent = parent(authorised, network)?;
    let fee = match authorised.returns() {
        None => {
            let effect = unsigned.effect(&owns).map_err(mismatch)?;
            check_sweep(authorised)?;
            if let Err(field) = effect.realises(&authorised.pays()?) {
                let because = format!("the transaction's {field} is not the intent's");
                return refuse(Rule::SignerIntentMismatch, because);
            }
            effect.fee
        }
        Some(_) => unsigned.returned(&owns).map_err(mismatch)?,
    };
    if fee != attempt.fee {
        return refuse(Rule::SignerIntentMismatch, "the log states another fee");
    }
    match &parent {
        None => {
            check_cost(fee, intent)?;
            check_spent(&unsigned, holding, intent.transfer)?;
        }
        Some(parent) => {
            let both = parent.fee().map_err(mismatch)?.checked_add(fee);
            check_cost(both.unwrap_or(Amount::new(u128::MAX)), intent)?;
            if !unsigned.depends_on(parent) {
                let because = "a child spends the change of the attempt that it pulls along";
                return refuse(Rule::SignerIntentMismatch, because);
            }
            // What it is called the child of must itself do what people approved.
            parent.effect(&owns).map_err(mismatch)?.realises(intent).map_err(|field| {
                let because = format!("the {field} of the attempt before it is not the intent's");
                Refusal::new(Rule::SignerIntentMismatch, because)
            })?;
            check_spent(parent, holding, intent.transfer)?;
        }
    }
    let payloads = unsigned.signing_payloads(&owns).map_err(mismatch)?;
    Ok(Checked {
        transfer: intent.transfer,
        attempt: attempt.attempt,
        network,
        signers: attempt.signers.clone(),
        key: attempt.key,
        active: key.clone(),
        bytes: attempt.unsigned.clone(),
        parent,
        unsigned,
        payloads,
    })
}

/// Of a multisig wallet: every coin and every script is its own descriptor's, made again from the keys in
/// this signer's log. What the transaction says of itself counts for nothing.
fn check_cosigners(unsigned: &UnsignedTx, key: &Active) -> Result<(), Refusal> {
    match (unsigned, key.plan.protocol.custody()) {
        (UnsignedTx::Multisig(unsigned), Custody::Cosigners) => {
            let places = Places::of_key(key).map_err(mismatch)?;
            if *unsigned.descriptor() == places.descriptor {
                return Ok(());
            }
            refuse(Rule::SignerIntentMismatch, "it names another descriptor than the wallet's")
        }
        (UnsignedTx::Bitcoin(_) | UnsignedTx::Ethereum(_), Custody::Shares | Custody::Whole) => {
            Ok(())
        }
        (UnsignedTx::Multisig(_), Custody::Shares | Custody::Whole)
        | (UnsignedTx::Bitcoin(_) | UnsignedTx::Ethereum(_), Custody::Cosigners) => {
            refuse(Rule::SignerIntentMismatch, "it is signed otherwise than the wallet's key signs")
        }
    }
}

/// Of a sweep: the destination is an address that the successor's key really has. Whose it is is not
/// taken from anybody's word.
fn check_sweep(authorised: &Authorised<'_>) -> Result<(), Refusal> {
    let Some((holding, key)) = authorised.successor() else { return Ok(()) };
    let destination = &authorised.intent().destination;
    if owned(holding.network, holding, key, destination).is_some() {
        return Ok(());
    }
    refuse(Rule::SignerSweep, "the destination is none of the successor's addresses")
}

/// The attempt that a child pulls along, as its own bytes say.
fn parent(authorised: &Authorised<'_>, network: Network) -> Result<Option<UnsignedTx>, Refusal> {
    let Some(Returns::Child { parent }) = authorised.returns() else { return Ok(None) };
    let Some(signed) = authorised.complete().get(&parent) else {
        return refuse(
            Rule::SignerIntentMismatch,
            "no attempt was signed that it could pull along",
        );
    };
    UnsignedTx::parse(network, &signed.authorised.unsigned).map(Some).map_err(mismatch)
}

/// Whatever it does, it costs no more than people approved.
fn check_cost(fee: Amount, intent: &Intent) -> Result<(), Refusal> {
    if fee > intent.fee_cap {
        let because = format!("it costs {fee}, above the cap of {}", intent.fee_cap);
        return refuse(Rule::SignerIntentMismatch, because);
    }
    Ok(())
}

/// The path of an address that the wallet's key really has. An address that the log calls the
/// wallet's and the key does not have is a stranger's.
fn owned(
    network: Network,
    holding: &Holding,
    key: &Active,
    address: &Address,
) -> Option<AddressPath> {
    let path = holding.addresses.get(address)?.path;
    let derived = key_address(key, network, path);
    (derived.ok()? == *address).then_some(path)
}

/// What is spent must be what the log set aside for this transfer: coins or account nonce.
fn check_spent(
    unsigned: &UnsignedTx,
    holding: &Holding,
    transfer: TransferId,
) -> Result<(), Refusal> {
    let matches = match (unsigned, &holding.funds) {
        (UnsignedTx::Bitcoin(_) | UnsignedTx::Multisig(_), Funds::Coins(coins)) => {
            let spent = unsigned.spends().unwrap_or_default();
            coins.reserved.get(&transfer).is_some_and(|mine| mine.keys().eq(&spent))
        }
        (UnsignedTx::Ethereum(unsigned), Funds::Balance(balance)) => balance
            .reserved
            .get(&transfer)
            .is_some_and(|mine| mine.account_nonce == unsigned.account_nonce()),
        (UnsignedTx::Bitcoin(_) | UnsignedTx::Multisig(_), Funds::Balance(_))
        | (UnsignedTx::Ethereum(_), Funds::Coins(_)) => false,
    };
    if matches {
        Ok(())
    } else {
        refuse(
            Rule::SignerIntentMismatch,
            "it spends other funds than those set aside for this transfer",
        )
    }
}

/// A wallet's path as the key's own.
pub fn key_path(path: AddressPath) -> KeyPath {
    KeyPath { change: path.branch.number(), index: path.index }
}

fn mismatch(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(Rule::SignerIntentMismatch, error.to_string())
}

fn refuse<T>(rule: Rule, because: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(rule, because))
}
