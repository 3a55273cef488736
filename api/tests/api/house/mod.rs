//! An institution with a charter, people, tokens, a funded account and three active keys; founded
//! once for all tests by the command line's own functions, then copied. Its signers never run: their
//! keys are the tests'.

mod browser;
mod founding;
mod ledger;
mod people;
mod server;
mod witnesses;

pub(crate) use browser::{Browser, Reply};
pub(crate) use founding::{PEOPLE, Template, say, write_private};
pub(crate) use people::TestClock;
pub(crate) use server::{Running, payment};
pub(crate) use witnesses::Witnesses;

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use ed25519_dalek::SigningKey;
use strongroom_api::{config::Config, serve::Server};
use tempfile::TempDir;

/// A copy of the founded institution, for one test.
pub(crate) struct House {
    folder: TempDir,
    template: &'static Template,
}

/// The founded institution. Never changed: tests work on copies.
pub(crate) fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        // Its bus needs a runtime of its own: tests have theirs.
        std::thread::spawn(Template::found).join().unwrap()
    })
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let template = template();
        copy(template.folder.path(), folder.path());
        Self { folder, template }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A person's token.
    pub(crate) fn token(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{name}.token"))).unwrap().trim().to_owned()
    }

    /// Starts a server with the default limits.
    pub(crate) async fn serve(&self) -> Running {
        self.serve_with("").await
    }

    /// Starts a server; `more` is added to its configuration.
    pub(crate) async fn serve_with(&self, more: &str) -> Running {
        Running::start(&self.configured(more)).await
    }

    /// Starts a server whose sessions, codes and signed requests are measured by `clock`. Its proxy
    /// is this machine, so that tests can come from anywhere.
    pub(crate) async fn serve_at(&self, clock: &TestClock) -> Running {
        let more = "[sign_in]\norigin = \"http://localhost:3008\"\ntrusted_proxies = [\"127.0.0.1/32\"]\n\
                    [limits]\nfailures_per_minute = 1000\n";
        Running::start_at(&self.configured(more), clock.clock()).await
    }

    /// Why there is no server with this configuration.
    pub(crate) async fn refused_with(&self, more: &str) -> String {
        match Config::read(&self.configured(more)) {
            Ok(config) => Server::open(config).await.err().unwrap().to_string(),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) fn configured(&self, more: &str) -> PathBuf {
        let config = format!(
            "listen = \"127.0.0.1:0\"\ndata = \"data\"\npassphrase_file = \"passphrase\"\n{more}"
        );
        let path = self.path("strongroom.toml");
        std::fs::write(&path, config).unwrap();
        path
    }
}

impl std::ops::Deref for House {
    type Target = Template;

    fn deref(&self) -> &Template {
        self.template
    }
}

/// A key that is the same in every run.
pub(crate) fn seeded(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
