//! `strongroom-signer address`: what this signer's own key says that an address is. Never shows one
//! that it did not derive itself.

use std::{
    io::{Write, stdout},
    path::{Path, PathBuf},
};

use clap::Args;
use strongroom_domain::{
    Address, AddressPath, Branch, Digest, KeyId, WalletId,
    key::{Active, Protocol},
};
use strongroom_signer::{
    dkls::DklsShare,
    frost::{KeyShare, ShareName},
    own_address::{Place, Which},
    pkcs11::KeyKind,
};

use super::Desk;
use crate::Failure;

/// Which address to show.
#[derive(Args)]
pub(crate) struct Arguments {
    /// `signer.toml`
    #[arg(long)]
    config: PathBuf,
    /// The wallet.
    #[arg(long)]
    wallet: WalletId,
    /// Its deposit address with this number.
    #[arg(long, conflicts_with = "address", required_unless_present = "address")]
    index: Option<u32>,
    /// With `--index`: its change address.
    #[arg(long, requires = "index")]
    change: bool,
    /// Whether this is one of its addresses.
    #[arg(long)]
    address: Option<Address>,
}

/// Works beside the running signer: both may read. What the log has behind the copy on disk (at most
/// a mebibyte that no order needed yet) is not seen.
pub(crate) fn address(
    arguments: Arguments,
    pinned: fn(&Path) -> Result<Digest, Failure>,
) -> Result<(), Failure> {
    let branch = if arguments.change { Branch::Change } else { Branch::Deposit };
    let which = match (arguments.index, arguments.address) {
        (Some(index), _) => Which::At(AddressPath { branch, index }),
        (None, Some(address)) => Which::Spelt(address),
        (None, None) => return Err("say which address: --index or --address".into()),
    };
    let desk = Desk::open(&arguments.config, pinned)?;
    let state = desk.audited.state();
    let place = Place::of(state, arguments.wallet)?;
    let held = held(&desk, place.key, place.active)?;
    let own = place.derive(&held, &which)?;
    let mut out = stdout();
    writeln!(out, "address  {}", own.address)?;
    writeln!(out, "path     {}", own.path)?;
    writeln!(out, "network  {}", own.network)?;
    let last = state.head.position;
    writeln!(out, "derived from what this signer holds; the log says the same (entry {last})")?;
    Ok(())
}

/// The public key of what this signer holds, as that says itself.
fn held(desk: &Desk, key: KeyId, active: &Active) -> Result<Vec<u8>, Failure> {
    let signer = desk.identity.signer();
    let name = ShareName { key: key.0, signer, epoch: active.epoch };
    let protocol = active.plan.protocol;
    if let Some(kind) = KeyKind::of(protocol) {
        let token = desk.holders.token.as_ref().ok_or("the settings name no token")?;
        let found = token.run(move |token| {
            let found = token.public_key(kind, key.0)?;
            // That it has both halves does not say that they belong together.
            token.prove(&found, &[0; 32])?;
            Ok(found)
        })?;
        return Ok(found.public.to_bytes().0);
    }
    match protocol {
        Protocol::FrostSecp256k1Tr => {
            let share = KeyShare::load(&desk.sealer, &desk.config.data, name)?;
            Ok(share.public().key().to_bytes().to_vec())
        }
        Protocol::Dkls23Secp256k1 => {
            let share = DklsShare::load(&desk.sealer, &desk.config.data, name)?;
            Ok(share.public().key().to_vec())
        }
        Protocol::Pkcs11Secp256k1
        | Protocol::FrostEd25519
        | Protocol::Pkcs11P256
        | Protocol::Pkcs11Ed25519
        | Protocol::Pkcs11Rsa2048
        | Protocol::VaultEd25519
        | Protocol::MultisigP2wsh
        | Protocol::MultisigP2tr => {
            let name = protocol.name();
            Err(format!("a signer alone shows no address of a {name} key").into())
        }
    }
}
