//! Policies as text (C2SP tlog-policy). Never reads `quorum none` as a policy of witnesses.

use std::fmt;
use std::str::FromStr;

use crate::checkpoint::decimal;
use crate::key_name::KeyName;
use crate::log_keys::LogVerifier;
use crate::policy::{Group, Member, POLICY_LIMIT, PolicyError, Witness, WitnessPolicy};
use crate::verifier_key::{KeyError, VerifierKey};

/// The most bytes that a policy may have: room for 64 ML-DSA-44 keys with their names.
const TEXT_LIMIT: usize = 256 * 1024;
const NONE: &str = "none";

/// Why a text is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyTextError {
    /// Bytes that no policy has, or too many.
    #[error("a policy is lines of text, each with a newline, of at most {TEXT_LIMIT} bytes")]
    Shape,
    /// A line that is none of the four kinds.
    #[error(
        "line {line} of the policy: expected 'log <vkey> [<url>]', 'witness <name> <vkey> [<url>]', \
         'group <name> all|any|<k> <name>...' or 'quorum <name>'"
    )]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// A key.
    #[error("line {line} of the policy: {source}")]
    Key {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A witness that cannot stand beside the others.
    #[error("line {line} of the policy: {source}")]
    Witness {
        /// Counted from 1.
        line: usize,
        /// Why.
        source: PolicyError,
    },
    /// A name that is not defined above, is defined already, or is in a group already.
    #[error("line {line} of the policy: the name {name} has to be {rule}")]
    Name {
        /// Counted from 1.
        line: usize,
        /// The name.
        name: String,
        /// What it has to be.
        rule: &'static str,
    },
    /// A group asks for none of its members, or for more than it has.
    #[error("line {line} of the policy: a group asks for 1 to {members} of its {members} members")]
    Threshold {
        /// Counted from 1.
        line: usize,
        /// How many members it has.
        members: usize,
    },
    /// No quorum line, or two.
    #[error("a policy has exactly one quorum line")]
    Quorum,
    /// A log with one key, or two keys of one type.
    #[error("the log {name} needs two keys, one of type 0x01 and one of type 0x06")]
    LogKeys {
        /// The log.
        name: KeyName,
    },
    /// No log.
    #[error("the policy names no log")]
    NoLog,
    /// `quorum none`, where witnesses are needed.
    #[error("the policy asks for no witness ('quorum none'): nothing counts under it")]
    Unwitnessed,
    /// Another quorum, where `none` was asked for.
    #[error("the policy asks for witnesses, where one without ('quorum none') was expected")]
    Witnessed,
}

const DEFINED: &str = "that of a witness or group on a line before this one";
const NEW: &str = "a new one, and not 'none'";
const ONCE: &str = "a member of one group, once";

/// A policy's lines, before anybody asks what its quorum is.
pub(crate) struct Parsed {
    pub(crate) logs: Vec<LogVerifier>,
    pub(crate) witnesses: Vec<Witness>,
    groups: Vec<Group>,
    /// `None` for the quorum `none`.
    pub(crate) quorum: Option<Member>,
}

/// What a quorum line says.
#[derive(Clone, Copy)]
enum Quorum {
    Nobody,
    Of(Member),
}

#[derive(Default)]
struct Reader {
    log_keys: Vec<VerifierKey>,
    witnesses: Vec<(usize, Witness)>,
    groups: Vec<Group>,
    quorum: Option<Quorum>,
}

impl Parsed {
    pub(crate) fn read(text: &str) -> Result<Self, PolicyTextError> {
        let forbidden = |byte: u8| matches!(byte, 0..=8 | 11..=31 | 127);
        if text.len() > TEXT_LIMIT || text.bytes().any(forbidden) {
            return Err(PolicyTextError::Shape);
        }
        let mut reader = Reader::default();
        let lines = text.strip_suffix('\n').ok_or(PolicyTextError::Shape)?;
        for (line, text) in (1..).zip(lines.split('\n')) {
            let words: Vec<_> = text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            if !words.first().is_none_or(|word| word.starts_with('#')) {
                reader.line(line, &words)?;
            }
        }
        reader.finish()
    }
}

impl Reader {
    fn line(&mut self, line: usize, words: &[&str]) -> Result<(), PolicyTextError> {
        match words {
            ["log", vkey] | ["log", vkey, _] => self.log(line, vkey),
            ["witness", name, vkey] => self.witness(line, name, vkey, None),
            ["witness", name, vkey, url] => self.witness(line, name, vkey, Some(*url)),
            ["group", name, threshold, members @ ..] if !members.is_empty() => {
                self.group(line, name, threshold, members)
            }
            ["quorum", name] => self.quorum(line, name),
            _ => Err(PolicyTextError::Line { line }),
        }
    }

    fn log(&mut self, line: usize, vkey: &str) -> Result<(), PolicyTextError> {
        let key: VerifierKey =
            vkey.parse().map_err(|source| PolicyTextError::Key { line, source })?;
        let name = key.name().to_string();
        if self.log_keys.iter().any(|other| other.bytes() == key.bytes()) {
            return Err(PolicyTextError::Name { line, name, rule: "that of another key" });
        }
        if self.log_keys.len() >= 2 * POLICY_LIMIT {
            return Err(PolicyTextError::Witness { line, source: PolicyError::TooLong });
        }
        self.log_keys.push(key);
        Ok(())
    }

    fn witness(
        &mut self,
        line: usize,
        name: &str,
        vkey: &str,
        url: Option<&str>,
    ) -> Result<(), PolicyTextError> {
        self.new_name(line, name)?;
        let key = vkey.parse().map_err(|source| PolicyTextError::Key { line, source })?;
        if self.witnesses.len() >= POLICY_LIMIT {
            return Err(PolicyTextError::Witness { line, source: PolicyError::TooLong });
        }
        let witness = Witness { label: name.to_owned(), key, url: url.map(str::to_owned) };
        self.witnesses.push((line, witness));
        Ok(())
    }

    fn group(
        &mut self,
        line: usize,
        name: &str,
        threshold: &str,
        names: &[&str],
    ) -> Result<(), PolicyTextError> {
        self.new_name(line, name)?;
        if self.groups.len() >= POLICY_LIMIT {
            return Err(PolicyTextError::Witness { line, source: PolicyError::TooLong });
        }
        let mut members = Vec::new();
        for name in names {
            let member = self.member(line, name)?;
            let mut others = self.groups.iter().flat_map(|group| &group.members).chain(&members);
            if others.any(|other| *other == member) {
                let name = (*name).to_owned();
                return Err(PolicyTextError::Name { line, name, rule: ONCE });
            }
            members.push(member);
        }
        let threshold = match threshold {
            "all" => Some(members.len()),
            "any" => Some(1),
            _ => decimal(threshold).and_then(|threshold| usize::try_from(threshold).ok()),
        };
        let count = members.len();
        let threshold = threshold.filter(|threshold| (1..=count).contains(threshold));
        let threshold = threshold.ok_or(PolicyTextError::Threshold { line, members: count })?;
        self.groups.push(Group { label: name.to_owned(), threshold, members });
        Ok(())
    }

    fn quorum(&mut self, line: usize, name: &str) -> Result<(), PolicyTextError> {
        let quorum =
            if name == NONE { Quorum::Nobody } else { Quorum::Of(self.member(line, name)?) };
        if self.quorum.replace(quorum).is_some() {
            return Err(PolicyTextError::Quorum);
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<Member> {
        let witness = self.witnesses.iter().position(|(_, witness)| witness.label == name);
        let group = || self.groups.iter().position(|group| group.label == name);
        witness.map(Member::Witness).or_else(|| group().map(Member::Group))
    }

    fn member(&self, line: usize, name: &str) -> Result<Member, PolicyTextError> {
        let error = || PolicyTextError::Name { line, name: name.to_owned(), rule: DEFINED };
        self.find(name).ok_or_else(error)
    }

    fn new_name(&self, line: usize, name: &str) -> Result<(), PolicyTextError> {
        if name == NONE || self.find(name).is_some() {
            return Err(PolicyTextError::Name { line, name: name.to_owned(), rule: NEW });
        }
        Ok(())
    }

    fn finish(self) -> Result<Parsed, PolicyTextError> {
        let quorum = match self.quorum.ok_or(PolicyTextError::Quorum)? {
            Quorum::Nobody => None,
            Quorum::Of(member) => Some(member),
        };
        let logs = pair(self.log_keys)?;
        let mut witnesses = Vec::new();
        for (line, witness) in self.witnesses {
            let checked = witness.check(&witnesses, &logs);
            checked.map_err(|source| PolicyTextError::Witness { line, source })?;
            witnesses.push(witness);
        }
        Ok(Parsed { logs, witnesses, groups: self.groups, quorum })
    }
}

/// The log lines as logs: two keys of one name are one log, and both are needed.
fn pair(mut keys: Vec<VerifierKey>) -> Result<Vec<LogVerifier>, PolicyTextError> {
    let mut logs: Vec<LogVerifier> = Vec::new();
    while !keys.is_empty() {
        let one = keys.remove(0);
        let name = one.name().clone();
        let error = PolicyTextError::LogKeys { name: name.clone() };
        let other = keys.iter().position(|key| key.name() == one.name());
        let other = keys.remove(other.ok_or_else(|| error.clone())?);
        if keys.iter().any(|key| *key.name() == name) {
            return Err(error);
        }
        logs.push(LogVerifier::from_keys(one, other).ok_or(error)?);
    }
    if logs.is_empty() { Err(PolicyTextError::NoLog) } else { Ok(logs) }
}

impl FromStr for WitnessPolicy {
    type Err = PolicyTextError;

    /// Reads a C2SP tlog-policy. Comments, spacing and the URLs of logs are not kept.
    fn from_str(text: &str) -> Result<Self, PolicyTextError> {
        let Parsed { logs, witnesses, groups, quorum } = Parsed::read(text)?;
        let quorum = quorum.ok_or(PolicyTextError::Unwitnessed)?;
        Ok(Self { logs, witnesses, groups, quorum })
    }
}

/// The policy as C2SP tlog-policy text.
impl fmt::Display for WitnessPolicy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in self.logs.iter().flat_map(LogVerifier::keys) {
            writeln!(out, "log {key}")?;
        }
        for Witness { label, key, url } in &self.witnesses {
            write!(out, "witness {label} {key}")?;
            writeln!(
                out,
                "{}{}",
                if url.is_some() { " " } else { "" },
                url.as_deref().unwrap_or("")
            )?;
        }
        for group in &self.groups {
            write!(out, "group {} {}", group.label, group.threshold)?;
            group.members.iter().try_for_each(|member| write!(out, " {}", self.label(*member)))?;
            writeln!(out)?;
        }
        writeln!(out, "quorum {}", self.label(self.quorum))
    }
}

impl WitnessPolicy {
    fn label(&self, member: Member) -> &str {
        let label = match member {
            Member::Witness(index) => self.witnesses.get(index).map(|witness| &witness.label),
            Member::Group(index) => self.groups.get(index).map(|group| &group.label),
        };
        label.map_or("", String::as_str)
    }
}
