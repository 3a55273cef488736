//! `/approvals`: what waits, and for whom. Never what is in a statement: that is on its own page.

use axum::extract::State;
use strongroom_domain::Timestamp;

use super::{
    frame::{Page, Place},
    html::Html,
};
use crate::{
    application::{Application, ApprovalFilter, Caller, views},
    clock,
    rest::Problem,
};

/// The page.
pub(super) async fn page(
    State(application): State<Application>,
    caller: Caller,
) -> Result<Page, Problem> {
    let open = application.approvals(ApprovalFilter::default()).await?;
    let me = caller.person.to_string();
    let (mine, others): (Vec<_>, Vec<_>) = open.items.iter().partition(|one| waits_for(one, &me));
    let now = clock::now();
    let main = Html::new().raw("<h2 id=\"mine\">Waiting for you</h2>\n");
    let main = if mine.is_empty() {
        main.raw("<p class=\"card\">Nothing waits for you.</p>\n")
    } else {
        rows(main, &mine, now)
    };
    let main = if others.is_empty() {
        main
    } else {
        rows(main.raw("<h2>Waiting for others</h2>\n"), &others, now)
    };
    let main = drills(main, application.backup_counts().0);
    Ok(Page { title: "Approvals".to_owned(), place: Place::Approvals, script: "approvals", main })
}

/// Backups that nobody has tried for too long: officers see it where they come anyway.
fn drills(html: Html, overdue: usize) -> Html {
    if overdue == 0 {
        return html;
    }
    html.raw(
        "<section class=\"alarm\" aria-labelledby=\"drills\">\n<h2 id=\"drills\">Recovery drills ",
    )
    .raw("are overdue</h2>\n<p>")
    .text(overdue)
    .raw(" shares have a backup that nobody has tried for too long. <a href=\"/api/v1/keys\">Which")
    .raw("</a>.</p>\n</section>\n")
}

fn waits_for(proposal: &views::Proposal, me: &str) -> bool {
    let asked = proposal.group.iter().any(|person| person == me) && proposal.maker != me;
    asked && !proposal.answers.iter().any(|answer| answer.approver == me)
}

fn rows(html: Html, proposals: &[&views::Proposal], now: Timestamp) -> Html {
    html.raw("<ul class=\"rows\">\n")
        .each(proposals, |html, one| {
            html.raw("<li><h2><a")
                .attribute("href", format!("/approvals/{}", one.proposal))
                .raw(">")
                .text(title(&one.kind))
                .raw("</a></h2>\n<p>")
                .text(agreed(one))
                .raw(" ")
                .part(&left(&one.expires_at, now))
                .raw("</p>\n<p class=\"soft\">Asked by <code>")
                .text(&one.maker)
                .raw("</code></p></li>\n")
        })
        .raw("</ul>\n")
}

/// A kind of question, for people.
pub(super) fn title(kind: &str) -> String {
    match kind {
        "transfer" | "payment" => "Withdrawal".to_owned(),
        other => {
            let mut words = other.replace('-', " ");
            if let Some(first) = words.get_mut(0..1) {
                first.make_ascii_uppercase();
            }
            words
        }
    }
}

/// How many have said yes.
pub(super) fn agreed(proposal: &views::Proposal) -> String {
    let yes = proposal.answers.iter().filter(|answer| answer.answer == "approve").count();
    format!("{yes} of {} agreed.", proposal.approvals_needed)
}

/// `3 h 12 min left`, with the time itself for machines; the script keeps it right.
pub(super) fn left(until: &str, now: Timestamp) -> Html {
    let words = match until.parse::<Timestamp>() {
        Ok(until) => spell(until.micros().saturating_sub(now.micros()).div_euclid(1_000_000)),
        Err(_) => until.to_owned(),
    };
    Html::new()
        .raw("<time data-left")
        .attribute("datetime", until)
        .raw(">")
        .text(words)
        .raw("</time>")
}

fn spell(seconds: u64) -> String {
    let (days, hours) = (seconds.div_euclid(86_400), seconds.div_euclid(3600).rem_euclid(24));
    let minutes = seconds.div_euclid(60).rem_euclid(60);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds == 0 => "time is over".to_owned(),
        (0, 0, 0) => format!("{seconds} s left"),
        (0, 0, minutes) => format!("{minutes} min left"),
        (0, hours, minutes) => format!("{hours} h {minutes} min left"),
        (days, hours, _) => format!("{days} d {hours} h left"),
    }
}

#[cfg(test)]
mod tests {
    use super::{spell, title};

    #[test]
    fn time_left_is_said_in_the_two_units_that_matter() {
        assert_eq!(spell(0), "time is over");
        assert_eq!(spell(59), "59 s left");
        assert_eq!(spell(3_600 * 3 + 720), "3 h 12 min left");
        assert_eq!(spell(86_400 * 2 + 3_600), "2 d 1 h left");
    }

    #[test]
    fn a_kind_without_a_title_of_its_own_is_readable() {
        assert_eq!(title("transfer"), "Withdrawal");
        assert_eq!(title("policy-change-2"), "Policy change 2");
        assert_eq!(title(""), "");
    }
}
