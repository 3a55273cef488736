//! Where an institution's people sit: what is needed to speak for them to a running server. It
//! starts and stops nothing.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Client, Institution, Person, Programs};

/// The file in a deployment's folder that [`Desk::save`] writes.
const FILE: &str = "desk.json";

/// People, their keys and tokens, and the server that they speak to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Desk {
    /// The programs that they use.
    pub programs: Programs,
    /// The people.
    pub institution: Institution,
    /// The server.
    pub url: String,
    /// The signers' ids; the fourth has the HSM.
    pub signers: Vec<String>,
}

impl Desk {
    /// Writes it down, for commands that come later.
    pub(super) fn save(&self, root: &Path) {
        let json = serde_json::to_vec_pretty(self).expect("JSON");
        std::fs::write(root.join(FILE), json).expect("a file");
    }

    /// The desk of a deployment that runs.
    pub fn open(root: &Path) -> Self {
        let path = root.join(FILE);
        let json = std::fs::read(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; `make quick-start` starts a deployment first", path.display())
        });
        serde_json::from_slice(&json).expect("a desk")
    }

    /// A client that speaks for a person.
    pub fn client(&self, person: &Person) -> Client {
        Client::new(&self.url, &person.token_file)
    }
}
