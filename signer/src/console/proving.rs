//! `strongroom-signer offline prove`: a cosigner shows that its key can sign, before any wallet is made of
//! it. Never signs before a person read what for.

use std::{
    io::{Write, stdout},
    path::PathBuf,
};

use clap::Args;
use strongroom_chains::spend_proof;
use strongroom_signer::offline::Proving;

use super::{
    holder::{Held, Holder},
    offline::{read, typed},
};
use crate::Failure;

/// What to show.
#[derive(Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    holder: Holder,
    /// The statement, as `strongroom key proof export` wrote it.
    #[arg(long)]
    statement: PathBuf,
}

/// Prints the place and the signature as JSON: what `strongroom key proof import` takes.
pub(super) fn prove(asked: &Prove) -> Result<(), Failure> {
    let proving: Proving = String::from_utf8(read(&asked.statement)?)?.parse()?;
    let key = Held::open(&asked.holder)?;
    let place = key.place(&proving.descriptor)?;
    let mut out = std::io::stderr();
    writeln!(out, "Key {} will sign for wallets of", proving.key)?;
    let (needed, keys) = (proving.descriptor.threshold(), proving.descriptor.keys());
    writeln!(out, "{needed} of these {} cosigners:", keys.len())?;
    for (at, other) in keys.iter().enumerate() {
        let mine = if at == place { "  (yours)" } else { "" };
        writeln!(out, "{:>3}  {other}{mine}", at.saturating_add(1))?;
    }
    writeln!(out, "The statement that you sign moves nothing. Type `prove` to sign it:")?;
    if typed()?.trim() != "prove" {
        return Err("that is not what was asked for: nothing was signed".into());
    }
    let digest = spend_proof::digest(&proving.statement);
    let signature = key.prove(&proving, digest)?;
    let told = serde_json::json!({
        "place": place.saturating_add(1), "signature": hex::encode(signature),
    });
    writeln!(stdout(), "{told}")?;
    Ok(())
}
