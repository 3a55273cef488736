//! What a `kurrentdb://` URL says. Never holds a password, and never lets one travel in clear.

use std::time::Duration;

use kurrentdb::ClientSettings;

use crate::open::OpenError;

/// The stream that a log is, where the URL names none.
const STREAM: &str = "ledger";
const STREAM_LIMIT: usize = 64;

/// What this program reads from the URL itself; the server's client knows none of them but the
/// deadline.
const OURS: [&str; 3] = ["stream", "retries", "defaultdeadline"];
/// What is passed on to the server's client, which ignores what it does not know: a parameter that
/// is misspelt would otherwise be missed.
const THEIRS: [&str; 10] = [
    "tls",
    "tlscafile",
    "usercertfile",
    "userkeyfile",
    "connectionname",
    "discoveryinterval",
    "maxdiscoverattempts",
    "gossiptimeout",
    "keepaliveinterval",
    "keepalivetimeout",
];

/// Where a log is kept and how long a server is waited for.
pub(super) struct Address {
    pub(super) settings: ClientSettings,
    /// Who logs in; the password comes from a file.
    pub(super) user: Option<String>,
    /// The stream of the entries.
    pub(super) stream: String,
    /// How long one call may take.
    pub(super) deadline: Duration,
    /// How often a call without an answer is made again.
    pub(super) retries: u32,
}

impl Address {
    /// Reads the URL of a log: `kurrentdb://[user@]host:port[,…][?parameter=value&…]`.
    pub(super) fn parse(url: &str) -> Result<Self, OpenError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| refused("it has no scheme"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (user, hosts) = place.rsplit_once('@').map_or((None, place), |(user, hosts)| {
            (Some(user.to_owned()).filter(|user| !user.is_empty()), hosts)
        });
        if user.as_ref().is_some_and(|user| user.contains(':')) {
            return Err(refused("a URL must not hold a password: put it into a file"));
        }
        let mut address = Self {
            settings: ClientSettings::default(),
            user,
            stream: STREAM.to_owned(),
            deadline: Duration::from_secs(10),
            retries: 8,
        };
        let mut passed = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = name.to_ascii_lowercase();
            if OURS.contains(&name.as_str()) {
                address.take(&name, value)?;
            } else if THEIRS.contains(&name.as_str()) {
                passed.push(format!("{name}={value}"));
            } else {
                return Err(refused(&format!("parameter {name} is not known here")));
            }
        }
        // Without the user: the client would send it with an empty password.
        let bare = format!("{scheme}://{}?{}", hosts.trim_end_matches('/'), passed.join("&"));
        address.settings = bare.parse().map_err(|error: kurrentdb::ClientSettingsParseError| {
            refused(&format!("the server's client does not read it: {error}"))
        })?;
        if address.user.is_some() && !address.settings.is_secure_mode_enabled() {
            return Err(refused(
                "with tls=false a password would travel in clear: leave out tls=false, or the user \
                 where the server asks for none",
            ));
        }
        Ok(address)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), OpenError> {
        let number = || {
            let limit = 1..=3_600_000;
            value.parse::<u32>().ok().filter(|number| limit.contains(number)).ok_or_else(|| {
                refused(&format!("{name} has to be a whole number from 1 to 3600000"))
            })
        };
        match name {
            "retries" => self.retries = number()?,
            "defaultdeadline" => self.deadline = Duration::from_millis(number()?.into()),
            _ => {
                // A name that begins with $ is the server's own.
                let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".:_-".contains(&byte);
                if !(1..=STREAM_LIMIT).contains(&value.len()) || !value.bytes().all(allowed) {
                    return Err(refused("a stream is 1 to 64 of A-Z a-z 0-9 . : _ -"));
                }
                value.clone_into(&mut self.stream);
            }
        }
        Ok(())
    }
}

fn refused(reason: &str) -> OpenError {
    OpenError::Refused(format!("the URL of the log cannot be used: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(url: &str) -> String {
        match Address::parse(url) {
            Err(OpenError::Refused(reason)) => reason,
            Err(other) => panic!("{url}: {other}"),
            Ok(_) => panic!("{url} was accepted"),
        }
    }

    #[test]
    fn a_url_says_server_user_stream_and_patience() {
        let plain = Address::parse("kurrentdb://localhost:2113?tls=false").unwrap();
        assert_eq!((plain.stream.as_str(), plain.user, plain.retries), ("ledger", None, 8));
        assert!(!plain.settings.is_secure_mode_enabled());
        let url = "esdb://strongroom@a:2113,b:2113?stream=vault-1&retries=3&defaultDeadline=250";
        let full = Address::parse(url).unwrap();
        assert_eq!(full.settings.hosts().len(), 2);
        assert_eq!(full.settings.default_authenticated_user(), &None);
        assert_eq!((full.stream.as_str(), full.retries), ("vault-1", 3));
        assert_eq!(full.user.as_deref(), Some("strongroom"));
        assert_eq!(full.deadline, Duration::from_millis(250));
    }

    #[test]
    fn what_would_weaken_the_connection_is_refused() {
        assert!(reason("kurrentdb://me@host?tls=false").contains("in clear"));
        assert!(reason("kurrentdb://host?tlsVerifyCert=false").contains("tlsverifycert"));
        assert!(reason("kurrentdb://host?nodePreference=follower").contains("nodepreference"));
        assert!(reason("kurrentdb://host?stream=$all").contains("stream"));
        assert!(reason("kurrentdb://host?retries=0").contains("retries"));
        assert!(!reason("kurrentdb://me:geheim@host").contains("geheim"));
    }
}
