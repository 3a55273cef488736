//! The command line. Never takes a secret as an argument or from the environment: a process list
//! would show it.

mod approve;
mod asking;
mod charter;
mod cosigner;
mod error;
mod history;
mod init;
mod invite;
mod key;
mod key_place;
mod ledger;
mod place;
mod policy;
mod price;
mod psbt;
mod say;
mod serve;
mod shares;
mod token;
mod wallet;

pub use approve::Approve;
pub use asking::Asking;
pub use charter::{CharterCommand, Draft, Found, Sign};
pub use cosigner::{KeyProofCommand, ProofExport, ProofImport, WalletDescriptor};
pub use error::CliError;
pub use init::Init;
pub use invite::Invite;
pub use key::{KeyCommand, KeyNew};
pub use key_place::{HeldKey, KeyPlace};
pub use ledger::LedgerCommand;
pub use place::Place;
pub use policy::PolicyCommand;
pub use price::{PriceCommand, PriceSign};
pub use psbt::{PsbtCommand, PsbtExport, PsbtImport};
pub use say::Say;
pub use serve::Serve;
pub use shares::{KeyAdd, KeyRefresh, KeyReplace, SignerCommand};
pub use token::{TokenCommand, TokenIssue};
pub use wallet::{RotateAll, WalletCommand, WalletRotate};

use clap::{Parser, Subcommand};

/// Strongroom: a custody ledger. People approve, the log commits, only then do signers sign.
#[derive(Parser)]
#[command(name = "strongroom", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a server's data directory: log key, TLS identity. Prints the public parts as JSON.
    Init(Init),
    /// Make an invitation to sign in. Prints its hash, for the charter or a proposal.
    Invite(Invite),
    /// Approval keys of people.
    #[command(subcommand)]
    Key(KeyCommand),
    /// The charter: draft it, sign it, found the log with it.
    #[command(subcommand)]
    Charter(CharterCommand),
    /// The log as a whole: copy it, save it, recover it. Only `backup` works while the server runs.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Signers: quarantined, trusted again, enrolled, retired.
    #[command(subcommand)]
    Signer(SignerCommand),
    /// API tokens. Works while the server runs.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Wallets that are given up to a successor.
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// Payments of multisig wallets, carried to cosigners without a network and back.
    #[command(subcommand)]
    Psbt(PsbtCommand),
    /// Reference prices.
    #[command(subcommand)]
    Price(PriceCommand),
    /// Policies: write out, look over, try and rehearse them before a quorum votes.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Read what a proposal asks, and sign exactly that.
    Approve(Approve),
    /// Serve REST, GraphQL and the sagas until SIGTERM or SIGINT.
    Serve(Serve),
}

impl Arguments {
    /// Does what was asked.
    pub fn run(self, say: &mut Say<'_>) -> Result<(), CliError> {
        match self.command {
            Command::Init(init) => init.run(say),
            Command::Invite(invite) => invite.run(say),
            Command::Key(key) => key.run(say),
            Command::Charter(charter) => charter.run(say),
            Command::Ledger(ledger) => {
                tracing();
                ledger.run(say)
            }
            Command::Signer(signer) => signer.run(say),
            Command::Token(token) => token.run(say),
            Command::Wallet(wallet) => wallet.run(say),
            Command::Psbt(psbt) => psbt.run(say),
            Command::Price(price) => price.run(say),
            Command::Policy(policy) => policy.run(say),
            Command::Approve(approve) => {
                tracing();
                approve.run(say)
            }
            Command::Serve(serve) => serve.run(),
        }
    }
}

/// For commands that do not configure it: warnings, to stderr.
fn tracing() {
    let filter = tracing_subscriber::EnvFilter::new("warn");
    // A second subscriber in one process (tests) is no fault.
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
