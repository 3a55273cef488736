//! Where an institution's people sit: what is needed to speak for them to a running server. It
//! starts and stops nothing.

use std::path::Path;

use serde::{Deserialize, Serialize};
use strongroom_domain::Network;

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
    /// The networks that have a node.
    pub networks: Vec<Network>,
}

impl Desk {
    /// Writes it down, for commands that come later.
    pub(super) fn save(&self, root: &Path) {
        let json = serde_json::to_vec_pretty(self).expect("JSON");
        std::fs::write(root.join(FILE), json).expect("a file");
    }

    /// The desk of a deployment that runs; otherwise what to do first, in one line.
    pub fn open(root: &Path) -> Result<Self, String> {
        let path = root.join(FILE);
        let why = |what: &dyn std::fmt::Display| {
            format!(
                "no deployment runs in {}: {what}; start one by `make quick-start`",
                root.display()
            )
        };
        let json = std::fs::read(&path)
            .map_err(|error| why(&format_args!("{}: {error}", path.display())))?;
        let desk: Self = serde_json::from_slice(&json)
            .map_err(|error| why(&format_args!("{}: {error}", path.display())))?;
        let answer = desk
            .client(&desk.institution.auditor)
            .try_get("/log/head")
            .map_err(|_unreachable| why(&format_args!("nobody answers at {}", desk.url)))?;
        if answer.status == 200 {
            Ok(desk)
        } else {
            Err(why(&format_args!("a stranger answers at {} ({})", desk.url, answer.status)))
        }
    }

    /// A client that speaks for a person.
    pub fn client(&self, person: &Person) -> Client {
        Client::new(&self.url, &person.token_file)
    }
}
