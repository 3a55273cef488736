//! `witness`: a program that a regulator runs. Never trusts the log that it watches.

use crate::output::{Output, object, say};
use clap::{Args, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use strongroom_replay::{
    Fault, Finding, Watch, WitnessKind, make_key, read_key, read_policy, serve,
};
use tokio::signal::unix::{SignalKind, signal};

/// A witness.
#[derive(Args)]
pub(crate) struct Witness {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Makes a key in a new file, and prints its public half for the charter or policy.
    Init {
        /// The file: nobody but its owner may read it.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The witness's name, such as `regulator.example/strongroom`: never used twice.
        #[arg(long)]
        name: String,
        /// Which signatures it makes.
        #[arg(long, value_enum, default_value_t = Algorithm::MlDsa44)]
        algorithm: Algorithm,
    },
    /// Serves C2SP tlog-witness: POST /add-checkpoint, GET /<origin hash>/checkpoint.
    Serve {
        /// The file that `witness init` made.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// A folder for what it has cosigned. Losing it, or setting it back, unmakes the witness.
        #[arg(long, value_name = "DIR")]
        state: PathBuf,
        /// The logs that it watches: a C2SP tlog-policy file.
        #[arg(long, value_name = "FILE")]
        log_policy: PathBuf,
        /// Where it listens. Put TLS before it where others than its log can reach it.
        #[arg(long, default_value = "127.0.0.1:7411")]
        listen: SocketAddr,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Algorithm {
    Ed25519,
    #[value(name = "ml-dsa-44")]
    MlDsa44,
}

impl Witness {
    pub(crate) fn run(&self, output: &Output) -> Result<u8, Finding> {
        match &self.action {
            Action::Init { key, name, algorithm } => {
                let kind = match algorithm {
                    Algorithm::Ed25519 => WitnessKind::Ed25519,
                    Algorithm::MlDsa44 => WitnessKind::MlDsa44,
                };
                let public = make_key(key, name, kind)?;
                if output.json {
                    object(&serde_json::json!({ "vkey": public.to_string() }));
                } else {
                    say(&public.to_string());
                }
            }
            Action::Serve { key, state, log_policy, listen } => {
                let failed = |error: std::io::Error| {
                    Finding::of(Fault::Unreadable, format!("{}: {error}", state.display()))
                };
                std::fs::create_dir_all(state).map_err(failed)?;
                let watch = Watch::open(state, read_key(key)?, &read_policy(log_policy)?)?;
                listening(*listen, Arc::new(watch), output).map_err(|error| {
                    Finding::of(Fault::Unreadable, format!("{listen}: {error}"))
                })?;
            }
        }
        Ok(0)
    }
}

fn listening(listen: SocketAddr, watch: Arc<Watch>, output: &Output) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        if output.json {
            object(&serde_json::json!({ "listening": address }));
        } else {
            say(&format!("listening on http://{address}"));
        }
        let mut terminated = signal(SignalKind::terminate())?;
        // What is being written to the disk is written: the runtime waits for it. Who asked and got
        // no answer asks again.
        tokio::select! {
            ended = serve(listener, watch) => ended,
            _ = terminated.recv() => Ok(()),
            ended = tokio::signal::ctrl_c() => ended,
        }
    })
}
