//! What a person reads before a file key signs, and what they type to agree. Never calls an output
//! change that does not derive from the descriptor.

use std::fmt::Write as _;

use strongroom_chains::bitcoin::{
    DecodeError,
    multisig::{OutputKind, UnsignedTx},
};
use strongroom_domain::{Amount, Asset};

/// A transaction in plain text, and what agrees to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Review {
    /// Every output, the change, the fee.
    pub text: String,
    /// What to type.
    pub asked: Asked,
}

/// What agrees to a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// What leaves the wallet besides the fee, typed as it is shown.
    Amount(String),
    /// Nothing leaves but the fee: the word.
    Yes,
}

impl Asked {
    /// Whether what was typed is what was asked.
    pub fn agrees(&self, typed: &str) -> bool {
        match self {
            Self::Amount(amount) => typed.trim() == amount,
            Self::Yes => typed.trim() == "yes",
        }
    }
}

impl Review {
    /// Refuses a transaction with an output that can't be shown as an address, or with sums that can't be.
    pub fn of(unsigned: &UnsignedTx) -> Result<Self, DecodeError> {
        let asset = unsigned.chain().network.native_asset();
        let descriptor = unsigned.descriptor();
        let mut text = String::new();
        let network = unsigned.chain().network;
        let (needed, all) = (descriptor.threshold(), descriptor.keys().len());
        line(&mut text, &format!("Transaction {} on {network}", unsigned.id()));
        line(&mut text, &format!("from a wallet of {needed} of {all} cosigners"));
        let coins = unsigned.spends().count();
        line(&mut text, &format!("spends {coins} of its coins"));
        if unsigned.lock_time() > 0 {
            line(&mut text, &format!("not before block {}", unsigned.lock_time()));
        }
        let mut leaves = Amount::ZERO;
        for output in unsigned.outputs()? {
            let amount = shown(asset, output.amount);
            match output.kind {
                OutputKind::Own(path) => {
                    line(&mut text, &format!("back to the wallet's own {path}: {amount}"));
                }
                OutputKind::Payment => {
                    leaves = leaves.checked_add(output.amount).ok_or(DecodeError::Money)?;
                    line(&mut text, &format!("PAYS {amount} to"));
                }
            }
            line(&mut text, &format!("    {}", output.address));
        }
        line(&mut text, &format!("fee: {}", shown(asset, unsigned.fee()?)));
        let asked =
            if leaves == Amount::ZERO { Asked::Yes } else { Asked::Amount(shown(asset, leaves)) };
        Ok(Self { text, asked })
    }
}

fn line(text: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{line}");
}

/// In whole coins with all their decimals, and the ticker.
fn shown(asset: Asset, amount: Amount) -> String {
    let one = 10_u128.saturating_pow(asset.decimals().into());
    let units = amount.units();
    let (whole, rest) = (units / one, units % one);
    format!("{whole}.{rest:0width$} {}", asset.symbol(), width = usize::from(asset.decimals()))
}
