//! `strongroom approve`: shows what a proposal asks, and signs exactly the text that was shown.
//! Never signs a text that names another proposal, another answer or another person.

use std::{
    io::{BufRead as _, stdin},
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use strongroom_domain::{PersonId, ProposalId};
use strongroom_secrets::{SecretText, read_secret_text};

use super::{CliError, KeyPlace, Say};

/// What `strongroom approve` needs.
#[derive(Args)]
pub struct Approve {
    /// The proposal's id.
    pub proposal: ProposalId,
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:3008")]
    pub server: String,
    /// File with the approver's API token; mode 0600.
    #[arg(long)]
    pub token_file: PathBuf,
    /// The approver's key.
    #[command(flatten)]
    pub key: KeyPlace,
    /// Say no.
    #[arg(long)]
    pub decline: bool,
    /// Sign without asking. For scripts: a person should read first.
    #[arg(long)]
    pub yes: bool,
}

impl Approve {
    /// Shows, asks, signs and sends.
    pub fn run(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(CliError::Runtime)?.block_on(self.answer(say))
    }

    const fn word(&self) -> &'static str {
        if self.decline { "decline" } else { "approve" }
    }

    /// The same, within a runtime.
    pub async fn answer(&self, say: &mut Say<'_>) -> Result<(), CliError> {
        let token = read_secret_text(&self.token_file)?;
        let base = self.server.trim_end_matches('/');
        let url = format!("{base}/api/v1/approvals/{}", self.proposal);
        // The token goes to this server alone: through no proxy, and behind no redirect.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build()
            .map_err(|error| self.failed(&error))?;
        let asked = client.get(&url).query(&[("answer", self.word())]);
        let shown = self.send(asked, &token).await?;
        let (statement, approver) = self.read(&shown)?;
        say.text(&format!("{statement}\n"))?;
        if !self.yes {
            say.text(&format!("Type `{}` to sign this text: ", self.word()))?;
            let mut line = String::new();
            stdin().lock().read_line(&mut line).map_err(CliError::Say)?;
            if line.trim() != self.word() {
                return Err(CliError::NotConfirmed(self.word()));
            }
        }
        check(&statement, self.proposal, approver, self.decline)?;
        let key = self.key.open()?;
        let signature = key.sign(&statement)?;
        let body = serde_json::json!({
            "answer": self.word(),
            "key": key.public().public(),
            "signature": signature,
        });
        // An answer that was lost is sent again with a new signature where the key is on P-256: the
        // server then says that this approver has answered.
        let once = hex::encode(Sha256::digest(signature.as_slice()));
        let post = client.post(&url).header("idempotency-key", once).json(&body);
        let answered = self.send(post, &token).await?;
        say.json(&answered)
    }

    fn read(&self, shown: &Value) -> Result<(String, PersonId), CliError> {
        let field = |name: &str| shown.get(name).and_then(Value::as_str);
        let malformed = || self.failed(&"it sent no statement, and no proposal");
        let Some(statement) = field("statement") else {
            return Err(nothing_to_sign(shown).unwrap_or_else(malformed));
        };
        let approver = field("approver").and_then(|id| id.parse().ok()).ok_or_else(malformed)?;
        check(statement, self.proposal, approver, self.decline)?;
        Ok((statement.to_owned(), approver))
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        token: &SecretText,
    ) -> Result<Value, CliError> {
        let request = request.bearer_auth(token.expose());
        let answer = request.send().await.map_err(|error| self.failed(&error.without_url()))?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|error| self.failed(&error.without_url()))?;
        if status.is_success() {
            return Ok(body);
        }
        let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let rule = field("rule");
        let named =
            if rule.is_empty() { field("title").to_owned() } else { format!("rule {rule}") };
        Err(self.failed(&format!("{status}, {named}: {}", field("detail"))))
    }

    fn failed(&self, reason: &dyn ToString) -> CliError {
        CliError::Server { url: self.server.clone(), reason: reason.to_string() }
    }
}

/// Why there is no statement, by the proposal that was sent instead.
fn nothing_to_sign(shown: &Value) -> Option<CliError> {
    let proposal = shown.get("proposal")?;
    let field = |name: &str| proposal.get(name).and_then(Value::as_str).map(printable);
    let (state, expires) = (field("state")?, field("expires_at")?);
    let because = field("because").map(|because| format!(" ({because})")).unwrap_or_default();
    let reason = if state == "open" {
        format!("the proposal is open until {expires}, but has no statement for this person now")
    } else {
        format!("the proposal is {state}{because}, it was open until {expires}: nothing to sign")
    };
    Some(CliError::Statement(reason))
}

/// A server's text, in signs that a terminal shows as they are.
fn printable(text: &str) -> String {
    text.chars().map(|sign| if (' '..='~').contains(&sign) { sign } else { '?' }).collect()
}

/// Whether a text is a statement about this proposal, this person and this
/// answer, in signs that a terminal shows as they are.
fn check(
    text: &str,
    proposal: ProposalId,
    approver: PersonId,
    decline: bool,
) -> Result<(), CliError> {
    let refuse = |because: &str| Err(CliError::Statement(because.to_owned()));
    if !text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)) {
        return refuse("the text holds signs that a terminal may not show as they are");
    }
    let word = if decline { "DECLINE" } else { "APPROVE" };
    let opening = |version: u8| {
        format!(
            "Strongroom approval statement, version {version}\n\nI, approver {approver},\n{word} the \
             following.\n\n"
        )
    };
    if !text.starts_with(&opening(1)) && !text.starts_with(&opening(2)) {
        return refuse("the text does not begin as this approver's statement with this answer");
    }
    let named: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("Proposal:")).collect();
    match named.as_slice() {
        [one] if one.trim() == proposal.to_string() => Ok(()),
        _ => refuse("the text does not name this proposal, once"),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    const ID: &str = "0193a5b0-0000-7000-8000-000000000001";

    fn text(word: &str, who: &str, proposal: &str) -> String {
        format!(
            "Strongroom approval statement, version 1\n\nI, approver {who},\n{word} the \
             following.\n\nPAY\nProposal:     {proposal}\nLog: x\n"
        )
    }

    #[test]
    fn only_a_text_about_this_proposal_person_and_answer_is_signed() {
        let other = "0193a5b0-0000-7000-8000-000000000002";
        let (proposal, person) = (ID.parse().unwrap(), ID.parse().unwrap());
        let fits = |text: &str| check(text, proposal, person, false).is_ok();
        assert!(fits(&text("APPROVE", ID, ID)));
        assert!(!fits(&text("DECLINE", ID, ID)));
        assert!(!fits(&text("APPROVE", other, ID)));
        assert!(!fits(&text("APPROVE", ID, other)));
        assert!(!fits(&format!("{}Proposal: {other}\n", text("APPROVE", ID, ID))));
        assert!(!fits(&text("APPROVE", ID, ID).replace("PAY", "PAY\u{1b}[2K")));
        assert!(check(&text("DECLINE", ID, ID), proposal, person, true).is_ok());
    }
}
