//! `/approvals/{id}`: one question, in the order in which a person needs it, the exact text that is
//! signed, and the two answers. What stands above the text is taken from the text.

use axum::extract::State;
use sha2::{Digest as _, Sha256};
use strongroom_domain::{ProposalId, statement::Answer};

use super::{
    approvals::{agreed, left, title},
    frame::{Page, Place},
    html::Html,
    summary::summary,
};
use crate::{
    application::{Application, Caller, PasskeyToUse, views},
    clock,
    rest::{Id, Problem},
};

/// The page.
pub(super) async fn page(
    State(application): State<Application>,
    caller: Caller,
    Id(id): Id<ProposalId>,
) -> Result<Page, Problem> {
    let yes = application.approval(&caller, id, None, Some(Answer::Approve)).await?;
    let no = application.approval(&caller, id, None, Some(Answer::Decline)).await?;
    let passkeys = application.passkeys_to_use(&caller);
    let proposal = &yes.proposal;
    let main = if let (Some(text), Some(other)) = (&yes.statement, &no.statement) {
        let main = standing(summary(Html::new(), text), proposal, &caller);
        answers(main, &yes, (text, other), &passkeys)
    } else {
        let main = Html::new()
            .raw("<p class=\"card\" id=\"closed\">This question is ")
            .text(&proposal.state)
            .raw(": nobody can answer it any more.</p>\n");
        standing(main, proposal, &caller)
    };
    let title = title(&proposal.kind);
    Ok(Page { title, place: Place::Approvals, script: "approval", main })
}

/// How far it is now: what the server says, and no part of what is signed.
fn standing(html: Html, proposal: &views::Proposal, caller: &Caller) -> Html {
    let me = caller.person.to_string();
    let html = html
        .raw("<section aria-labelledby=\"standing\">\n<h2 id=\"standing\">Until now</h2>\n<p id=\"agreed\">")
        .text(agreed(proposal))
        .raw(" ")
        .part(&left(&proposal.expires_at, clock::now()))
        .raw("</p>\n");
    let html = if proposal.answers.is_empty() {
        html.raw("<p class=\"soft\">Nobody has answered yet.</p>\n")
    } else {
        html.raw("<ul>\n")
            .each(&proposal.answers, |html, answer| {
                let word = if answer.answer == "approve" { "agreed" } else { "declined" };
                let html = html.raw("<li><code>").text(&answer.approver).raw("</code> ");
                let html = if answer.approver == me { html.raw("(you) ") } else { html };
                html.raw(word).raw(" at ").text(&answer.answered_at).raw("</li>\n")
            })
            .raw("</ul>\n")
    };
    html.raw("<details><summary>Who may answer</summary>\n<ul>\n")
        .each(&proposal.group, |html, person| {
            let html = html.raw("<li><code>").text(person).raw("</code>");
            if *person == me { html.raw(" (you)") } else { html }.raw("</li>\n")
        })
        .raw("</ul>\n</details>\n</section>\n")
}

/// The texts, and what signs them; or why this person signs nothing here.
fn answers(
    html: Html,
    yes: &views::Approval,
    (approve, decline): (&str, &str),
    passkeys: &[PasskeyToUse],
) -> Html {
    let proposal = &yes.proposal;
    let hint = if proposal.maker == yes.approver {
        Some("You asked for this: somebody else answers.")
    } else if !proposal.group.contains(&yes.approver) {
        Some("You are not one of those who answer this.")
    } else if proposal.answers.iter().any(|answer| answer.approver == yes.approver) {
        Some("You have answered this.")
    } else {
        None
    };
    let html = html
        .raw("<section aria-labelledby=\"text\">\n<h2 id=\"text\">The text that you sign</h2>\n");
    let html = match hint {
        Some(hint) => {
            html.raw("<p id=\"hint\">").text(hint).raw("</p>\n<pre tabindex=\"0\" aria-labelledby=\"text\">").text(approve).raw("</pre>\n")
        }
        None if passkeys.is_empty() => html
            .raw("<p id=\"hint\">None of your approval keys is a passkey of this site. <a href=\"/passkey\">Make ")
            .raw("one</a>, or answer with <code>strongroom approve ")
            .text(&proposal.proposal)
            .raw("</code>.</p>\n<pre tabindex=\"0\" aria-labelledby=\"text\">")
            .text(approve)
            .raw("</pre>\n"),
        None => {
            let html = html.raw("<p>This text is what counts. Your passkey signs its SHA-256; every signer ")
                .raw("checks that signature against the log before any money moves.</p>\n");
            let html = one(html, yes, "approve", approve, passkeys);
            let html = html.raw("<details id=\"otherwise\"><summary>I do not agree</summary>\n");
            one(html, yes, "decline", decline, passkeys).raw("</details>\n")
        }
    };
    html.raw("</section>\n")
}

fn one(
    html: Html,
    yes: &views::Approval,
    answer: &'static str,
    text: &str,
    passkeys: &[PasskeyToUse],
) -> Html {
    let sha256 = hex::encode(Sha256::digest(text.as_bytes()));
    let keys = serde_json::to_string(passkeys).unwrap_or_default();
    let html = html
        .raw("<form class=\"answer\"")
        .attribute("data-answer", answer)
        .attribute("data-proposal", &yes.proposal.proposal)
        .attribute("data-approver", &yes.approver)
        .attribute("data-sha256", &sha256)
        .attribute("data-keys", keys)
        .raw(">\n<pre tabindex=\"0\" aria-labelledby=\"text\">")
        .text(text)
        .raw("</pre>\n<p class=\"soft\">SHA-256 <code>")
        .text(&sha256)
        .raw("</code></p>\n<div class=\"acts\">");
    let html = if answer == "approve" {
        html.raw("<button type=\"submit\">Approve with my passkey</button>")
    } else {
        html.raw("<button type=\"submit\" class=\"no\">Decline with my passkey</button>")
    };
    html.raw("</div>\n</form>\n")
}
