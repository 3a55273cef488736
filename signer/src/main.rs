//! The program `strongroom-signer`. Never takes a secret as an argument or from the environment: a
//! process list would show it.

mod console;

use std::{
    alloc::System,
    io::{Write, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    thread,
};

use clap::{Args, Parser, Subcommand};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use signal_hook::consts::{SIGINT, SIGTERM};
use strongroom_domain::{Digest, charter::LogResumed};
use strongroom_secrets::{
    Existing, KeySource, Memory, harden, hardening, read_secret, write_durably,
};
use strongroom_signer::{
    config::Config,
    consumption::Consumptions,
    identity::Identity,
    journal::Journal,
    log_copy::LogCopy,
    order::{Parts, Signer},
    resumption,
    transport::{Limits, Server, server_config},
    unlocking::{Holders, unlock},
};
use zeroizing_alloc::ZeroAlloc;

/// A signer of Strongroom: follows the log and signs what the log shows approved.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make this signer's identity and print its public enrolment for the charter.
    Init(Init),
    /// Pin the one log that this signer will ever follow, by the leaf hash of its first entry.
    Pin(Pin),
    /// Listen for the server.
    Serve(Serve),
    /// Go on from an earlier entry of the log, as a quorum's certificate says. The signer must not
    /// be running.
    Resume(Resume),
    /// Print how far the log was verified and cosigned. The signer must not be running.
    Status(Status),
    /// Show an address of a wallet as this signer's own key derives it, and refuse one that the log
    /// has and the key does not give. Works while the signer runs.
    Address(console::address::Arguments),
    /// Split this signer's share of a key among officers, each of whom writes 24 words down. Works
    /// while the signer runs.
    Backup(console::backup::Arguments),
    /// Have officers type their pieces and see that they give the share; nothing is stored. Works
    /// while the signer runs.
    Drill(console::restore::DrillArguments),
    /// Put a share together again from officers' pieces, once a quorum approved it. The signer must
    /// not be running.
    Restore(console::restore::RestoreArguments),
    /// A cosigner's key in a file, for multisig wallets: on a machine without a network, where no signer
    /// runs.
    #[command(subcommand)]
    Offline(console::offline::Command),
    /// Make the AES key in the token that `[sealing] token_key` names.
    WrappingKey(console::wrapping_key::Arguments),
    /// Seal the signer's files under another key (a passphrase, a token's, Vault's). The signer must
    /// not be running; interrupted, the same command goes on.
    Reseal(console::reseal::Arguments),
}

#[derive(Args)]
struct Resume {
    /// Where the signer keeps everything.
    #[arg(long)]
    data: PathBuf,
    /// The certificate (JSON): compare what it gives up with those who signed it, by another way
    /// than the server.
    #[arg(long)]
    certificate: PathBuf,
}

#[derive(Args)]
struct Status {
    /// Where the signer keeps everything.
    #[arg(long)]
    data: PathBuf,
}

#[derive(Args)]
struct Init {
    /// Where the signer keeps everything; made if missing.
    #[arg(long)]
    data: PathBuf,
    /// What people call it.
    #[arg(long)]
    name: String,
    /// File with the passphrase that seals the signer's secrets; mode 0600.
    #[arg(long, required_unless_present = "config", conflicts_with = "config")]
    passphrase_file: Option<PathBuf>,
    /// `signer.toml`, whose `[sealing]` names the key that seals them.
    #[arg(long)]
    config: Option<PathBuf>,
}

#[derive(Args)]
struct Pin {
    /// Where the signer keeps everything.
    #[arg(long)]
    data: PathBuf,
    /// 64 lower-case hex digits, as `strongroom charter found` printed them. Compare them with the
    /// founders by another way than the server.
    #[arg(long)]
    genesis: Digest,
}

#[derive(Args)]
struct Serve {
    /// `signer.toml`
    #[arg(long)]
    config: PathBuf,
}

type Failure = Box<dyn std::error::Error>;

/// The pinned genesis, in the signer's data directory.
const GENESIS: &str = "genesis";

/// Wipes what it frees: the copies of secrets that libraries make are nobody's to wipe otherwise.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    harden(Memory::All);
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let done = match Arguments::parse().command {
        Command::Init(arguments) => init(&arguments),
        Command::Pin(arguments) => pin(&arguments),
        Command::Serve(arguments) => serve(&arguments.config),
        Command::Resume(arguments) => resume(&arguments),
        Command::Status(arguments) => status(&arguments.data),
        Command::Address(arguments) => console::address::address(arguments, pinned),
        Command::Backup(arguments) => console::backup::backup(&arguments, pinned),
        Command::Drill(arguments) => console::restore::drill(&arguments, pinned),
        Command::Restore(arguments) => console::restore::restore(&arguments, pinned),
        Command::Offline(command) => console::offline::offline(&command),
        Command::WrappingKey(arguments) => console::wrapping_key::make(&arguments),
        Command::Reseal(arguments) => console::reseal::reseal(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn init(arguments: &Init) -> Result<(), Failure> {
    let source = match (&arguments.passphrase_file, &arguments.config) {
        (_, Some(path)) => {
            let config = Config::read(path)?;
            Holders::open(&config)?.source(&config.sealing)?
        }
        (Some(path), None) => KeySource::Passphrase(Arc::new(read_secret(path)?)),
        (None, None) => return Err("say what seals: --passphrase-file or --config".into()),
    };
    let enrolment = Identity::create_under(&arguments.data, &arguments.name, &source)?;
    Journal::create(&arguments.data.join("journal"))?;
    LogCopy::create(&arguments.data.join("log.jsonl"))?;
    writeln!(stdout(), "{}", serde_json::to_string_pretty(&enrolment)?)?;
    Ok(())
}

/// Once: a signer that followed another log would sign for whoever wrote that one.
fn pin(arguments: &Pin) -> Result<(), Failure> {
    let line = format!("{}\n", arguments.genesis);
    write_durably(&arguments.data.join(GENESIS), line.as_bytes(), Existing::Keep)?;
    writeln!(stdout(), "pinned {}", arguments.genesis)?;
    Ok(())
}

fn pinned(data: &Path) -> Result<Digest, Failure> {
    let path = data.join(GENESIS);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        format!("{}: {error}; run `strongroom-signer pin` first", path.display())
    })?;
    Ok(text.trim_end().parse()?)
}

fn resume(arguments: &Resume) -> Result<(), Failure> {
    let path = &arguments.certificate;
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let certificate: LogResumed = serde_json::from_slice(&bytes)
        .map_err(|error| format!("{}: not a certificate: {error}", path.display()))?;
    let genesis = pinned(&arguments.data)?;
    let cut = resumption::resume(&arguments.data, genesis, &certificate)?;
    let from = certificate.resumption.from.position;
    writeln!(stdout(), "goes on from entry {from}; {cut} bytes of the copy were given up")?;
    Ok(())
}

fn status(data: &Path) -> Result<(), Failure> {
    let consumptions = Consumptions::open(&data.join("journal"))?;
    let acknowledged = consumptions.acknowledged();
    let mut out = stdout();
    writeln!(out, "verified: entry {} with hash {}", acknowledged.position, acknowledged.leaf)?;
    let cosigned = consumptions.cosigned().as_ref().map_or_else(
        || "nothing".to_owned(),
        |of| format!("{} entries of {} with root {}", of.size, of.origin, of.root),
    );
    writeln!(out, "cosigned: {cosigned}")?;
    Ok(())
}

fn serve(path: &Path) -> Result<(), Failure> {
    match hardening() {
        Some(given) if given.is_complete() => tracing::info!("{given}"),
        Some(given) => tracing::warn!("{given}"),
        None => {}
    }
    let config = Config::read(path)?;
    let genesis = pinned(&config.data)?;
    let holders = Holders::open(&config)?;
    let (identity, sealer) = unlock(&config, &holders)?;
    let server = CertificateDer::from_pem_file(&config.server_certificate)?;
    let tls = server_config(&identity, server)?;
    let Holders { token, vault } = holders;
    let directory = config.data;
    let signer = Signer::open(Parts { identity, sealer, directory, token, vault, genesis })?;
    let listening = Server::bind(config.listen, tls, Limits::default())?;
    tracing::info!(address = %listening.address()?, "listening");
    let stopper = listening.stopper();
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT])?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            stopper.stop();
        }
    });
    listening.run(&|body| signer.answer(body));
    signer.close()?;
    Ok(())
}
