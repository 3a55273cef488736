//! `strongroom-signer offline`: a cosigner's key, on a machine without a network. Never shows
//! its words but once, on a terminal, and never signs before a person typed what leaves the wallet.

use std::{
    io::{IsTerminal, Write, stdout},
    path::{Path, PathBuf},
};

use bitcoin::base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::{Args, Subcommand, ValueEnum};
use strongroom_chains::bitcoin::{
    Chain,
    multisig::{Descriptor, KeyExpression, Offered, Shape, UnsignedTx},
};
use strongroom_domain::{AddressPath, Branch, Network};
use strongroom_secrets::{Existing, SecretText, read_secret, write_durably};
use strongroom_signer::offline::{Asked, OfflineKey, Review, TokenCosigner};
use uuid::Uuid;

use zeroize::Zeroizing;

use super::{
    holder::{Held, Holder, attach},
    proving::{Prove, prove},
    typing::{Screen, line},
};
use crate::Failure;

/// What to do with a file key.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a key, seal it in a file, and show its words once: they are the only copy besides the file.
    New(File),
    /// Make a key again from its words, which are read from the terminal.
    Restore(File),
    /// Print the public key of an account, as a wallet's plan names a cosigner.
    Xpub(Account),
    /// Make a key in a PKCS#11 token, or show one, and print its id and public key.
    TokenKey(InToken),
    /// Show what a PSBT does, and sign it if you agree, with the key of a file or of a token.
    Sign(Sign),
    /// Show what a new key's cosigners are, and that yours can sign, if you agree.
    Prove(Prove),
    /// Print the descriptor of a wallet of these cosigners, for every machine and wallet that is to know
    /// it. Needs no key.
    Descriptor(Wallet),
    /// Print an address of a wallet. Needs no key: compare it with what another machine prints.
    Address(Address),
    /// Put signed PSBTs of one transaction together and print what the network takes, in hex. Needs no
    /// key.
    Combine(Combine),
}

/// Where the key is.
#[derive(Args)]
pub(crate) struct File {
    /// Its directory; `new` and `restore` make it.
    #[arg(long)]
    data: PathBuf,
    /// File with the passphrase that seals it; mode 0600.
    #[arg(long)]
    passphrase_file: PathBuf,
}

/// Which account.
#[derive(Args)]
pub(crate) struct Account {
    #[command(flatten)]
    file: File,
    /// From the master key (BIP 48): `48h/0h/0h/2h` on Bitcoin, `48h/2h/0h/2h` on Litecoin.
    #[arg(long)]
    path: String,
}

/// Where a key is that never leaves its token.
#[derive(Args)]
pub(crate) struct InToken {
    /// The vendor's PKCS#11 library.
    #[arg(long)]
    module: PathBuf,
    /// The token's label.
    #[arg(long)]
    token: String,
    /// File with the user PIN; mode 0600.
    #[arg(long)]
    pin_file: PathBuf,
    /// The key's id; without it `token-key` makes one.
    #[arg(long)]
    key: Option<Uuid>,
}

fn token_key(asked: &InToken) -> Result<(), Failure> {
    let token = attach(&asked.module, &asked.token, &asked.pin_file)?;
    let key = match asked.key {
        Some(id) => TokenCosigner::open(token, id)?,
        None => TokenCosigner::make(token)?,
    };
    writeln!(stdout(), "{} {}", key.id(), key.expression()?)?;
    Ok(())
}

/// What to sign.
#[derive(Args)]
pub(crate) struct Sign {
    #[command(flatten)]
    holder: Holder,
    /// Where its coins are, for example `litecoin`.
    #[arg(long)]
    network: Network,
    /// The wallet's descriptor with its checksum: your own copy, not one that came with the PSBT.
    #[arg(long)]
    descriptor: PathBuf,
    /// The PSBT, in binary or base64.
    #[arg(long)]
    psbt: PathBuf,
    /// Where the signed PSBT goes; must not exist.
    #[arg(long)]
    out: PathBuf,
}

/// Who may spend.
#[derive(Args)]
pub(crate) struct Wallet {
    /// Where its coins will be: says how keys are written.
    #[arg(long)]
    network: Network,
    /// Where signatures are counted.
    #[arg(long)]
    shape: Counted,
    /// How many cosigners it takes.
    #[arg(long)]
    threshold: usize,
    /// A cosigner's key, as `xpub` printed it, or a device; once for each.
    #[arg(long = "key", required = true)]
    keys: Vec<KeyExpression>,
    /// Print one descriptor for addresses that are given out and one for change, for software that does
    /// not know BIP 389.
    #[arg(long)]
    branches: bool,
}

/// Where signatures are counted.
#[derive(Clone, Copy, ValueEnum)]
enum Counted {
    /// In a witness script: every hardware device and HSM signs so.
    P2wsh,
    /// In a tapscript: smaller, and signatures are BIP 340's.
    P2tr,
}

/// Which address.
#[derive(Args)]
pub(crate) struct Address {
    /// Where.
    #[arg(long)]
    network: Network,
    /// The wallet's descriptor with its checksum.
    #[arg(long)]
    descriptor: PathBuf,
    /// Its number, from 0.
    #[arg(long)]
    index: u32,
    /// The one for change.
    #[arg(long)]
    change: bool,
}

/// What to put together.
#[derive(Args)]
pub(crate) struct Combine {
    /// Where.
    #[arg(long)]
    network: Network,
    /// The wallet's descriptor with its checksum.
    #[arg(long)]
    descriptor: PathBuf,
    /// A signed PSBT; once for each.
    #[arg(long = "psbt", required = true)]
    psbts: Vec<PathBuf>,
}

pub(crate) fn offline(command: &Command) -> Result<(), Failure> {
    match command {
        Command::New(file) => new(file),
        Command::Restore(file) => restore(file),
        Command::Xpub(account) => {
            let key = open(&account.file)?;
            writeln!(stdout(), "{}", key.expression(&account.path)?)?;
            Ok(())
        }
        Command::TokenKey(asked) => token_key(asked),
        Command::Sign(arguments) => sign(arguments),
        Command::Prove(asked) => prove(asked),
        Command::Descriptor(wallet) => descriptor(wallet),
        Command::Address(arguments) => address(arguments),
        Command::Combine(arguments) => combine(arguments),
    }
}

fn descriptor(wallet: &Wallet) -> Result<(), Failure> {
    let shape = match wallet.shape {
        Counted::P2wsh => Shape::P2wsh,
        Counted::P2tr => Shape::P2tr,
    };
    let kind = Chain::of(wallet.network)?.key_kind();
    let made = Descriptor::new(shape, wallet.threshold, wallet.keys.clone())?;
    if wallet.branches {
        for branch in made.export_branches(kind) {
            writeln!(stdout(), "{branch}")?;
        }
    } else {
        writeln!(stdout(), "{}", made.export(kind))?;
    }
    Ok(())
}

fn address(arguments: &Address) -> Result<(), Failure> {
    let chain = Chain::of(arguments.network)?;
    let branch = if arguments.change { Branch::Change } else { Branch::Deposit };
    let path = AddressPath { branch, index: arguments.index };
    let found = imported(&arguments.descriptor)?.address(chain, path);
    let found = found.ok_or("an index is below 2147483648")?;
    writeln!(stdout(), "{found}")?;
    Ok(())
}

fn combine(arguments: &Combine) -> Result<(), Failure> {
    let (chain, wallet) = (Chain::of(arguments.network)?, imported(&arguments.descriptor)?);
    let mut whole: Option<UnsignedTx> = None;
    let mut parts = Vec::new();
    for path in &arguments.psbts {
        let psbt = binary(read(path)?)?;
        let offered = Offered::read(chain, &wallet, &psbt)?;
        let unsigned = whole.get_or_insert(offered.unsigned);
        parts.extend(unsigned.partials(&psbt)?);
    }
    let unsigned = whole.ok_or("no PSBT was named")?;
    let signed = unsigned.combine(&parts)?;
    writeln!(stdout(), "{}", hex::encode(signed.raw.as_slice()))?;
    Ok(())
}

fn imported(path: &Path) -> Result<Descriptor, Failure> {
    Ok(Descriptor::import(&String::from_utf8(read(path)?)?)?)
}

fn open(file: &File) -> Result<OfflineKey, Failure> {
    Ok(OfflineKey::open(&file.data, &read_secret(&file.passphrase_file)?)?)
}

fn new(file: &File) -> Result<(), Failure> {
    let mut out = stdout();
    if !out.is_terminal() {
        return Err("the words are shown on a terminal only, never into a file or a pipe".into());
    }
    let passphrase = read_secret(&file.passphrase_file)?;
    let (key, words) = OfflineKey::create(&file.data, &passphrase)?;
    let screen = Screen::open()?;
    writeln!(out, "Write these words on paper, in this order. They are not shown again.\n")?;
    for (number, word) in (1..).zip(words.expose().split(' ')) {
        writeln!(out, "{number:>3}  {word}")?;
    }
    writeln!(out, "\nPress Enter when you have them.")?;
    drop(line()?);
    drop(screen);
    writeln!(out, "fingerprint {}", key.fingerprint())?;
    Ok(())
}

fn restore(file: &File) -> Result<(), Failure> {
    let passphrase = read_secret(&file.passphrase_file)?;
    writeln!(stdout(), "Type the words in their order, with spaces between them, on one line.")?;
    let words = SecretText::new(typed()?.to_string());
    let key = OfflineKey::restore(&file.data, &passphrase, &words)?;
    writeln!(stdout(), "fingerprint {}", key.fingerprint())?;
    Ok(())
}

fn sign(arguments: &Sign) -> Result<(), Failure> {
    let key = Held::open(&arguments.holder)?;
    let descriptor = imported(&arguments.descriptor)?;
    let place = key.place(&descriptor)?;
    let chain = Chain::of(arguments.network)?;
    let psbt = binary(read(&arguments.psbt)?)?;
    let offered = Offered::read(chain, &descriptor, &psbt)?;
    let review = Review::of(&offered.unsigned)?;
    let mut out = stdout();
    write!(out, "{}", review.text)?;
    for signed in offered.signatures.keys() {
        writeln!(out, "signed by cosigner {} already", signed.saturating_add(1))?;
    }
    writeln!(out, "you are cosigner {}", place.saturating_add(1))?;
    match &review.asked {
        Asked::Amount(amount) => writeln!(out, "Type `{amount}` to sign:")?,
        Asked::Yes => writeln!(out, "Nothing but the fee leaves the wallet. Type `yes` to sign:")?,
    }
    if !review.asked.agrees(&typed()?) {
        return Err("that is not what was asked for: nothing was signed".into());
    }
    let mut parts = offered.unsigned.partials(&psbt).unwrap_or_default();
    parts.retain(|part| part.place != place);
    parts.push(key.sign(&offered.unsigned)?);
    let signed = offered.unsigned.psbt_with(&parts)?;
    write_durably(&arguments.out, signed.as_slice(), Existing::Keep)?;
    writeln!(out, "signed: {}", arguments.out.display())?;
    Ok(())
}

pub(super) fn typed() -> Result<Zeroizing<String>, Failure> {
    line()?.ok_or_else(|| "nothing was typed".into())
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Files of PSBTs are binary (BIP 174); people also paste them in base64.
fn binary(bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
    if bytes.starts_with(b"psbt") {
        return Ok(bytes);
    }
    let text = String::from_utf8(bytes).map_err(|_| "the PSBT is neither binary nor base64")?;
    Ok(BASE64_STANDARD.decode(text.trim()).map_err(|_| "the PSBT is neither binary nor base64")?)
}
