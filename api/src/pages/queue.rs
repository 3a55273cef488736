//! `/queue`: approved withdrawals that wait for their time, with what stops one or all of them. An
//! officer stops alone and at once; letting go on takes a quorum, and is nowhere on this page.

use axum::extract::State;
use strongroom_domain::{Timestamp, charter::Role};
use strongroom_projections::FreezeRow;

use super::{
    approvals::left,
    frame::{Page, Place},
    html::Html,
    said::fours,
};
use crate::{
    application::{Application, Caller, Waiting},
    clock,
    rest::Problem,
};

/// The page.
pub(super) async fn page(
    State(application): State<Application>,
    caller: Caller,
) -> Result<Page, Problem> {
    let queue = application.queue(&caller).await?;
    let officer = caller.roles.contains(&Role::Officer);
    let main = frozen(Html::new(), &queue.freezes);
    let main = main.raw("<h2 id=\"waiting\">Approved, and not signed yet</h2>\n");
    let main = if queue.waiting.is_empty() {
        main.raw("<p class=\"card\" id=\"empty\">Nothing waits.</p>\n")
    } else {
        main.raw("<ul class=\"rows\" aria-labelledby=\"waiting\">\n")
            .each(&queue.waiting, |html, one| waiting(html, one, officer, clock::now()))
            .raw("</ul>\n")
    };
    let main = if officer { freeze(main) } else { main };
    Ok(Page { title: "Queue".to_owned(), place: Place::Queue, script: "queue", main })
}

fn waiting(html: Html, one: &Waiting, officer: bool, now: Timestamp) -> Html {
    let intent = &one.row.intent;
    let asset = intent.asset;
    let html = html
        .raw("<li>\n<h2>")
        .text(intent.amount.with_decimals(asset.decimals()))
        .raw(" ")
        .text(asset.symbol())
        .raw(" on ")
        .text(intent.network())
        .raw("</h2>\n<p class=\"address\">")
        .each(fours(&intent.destination.to_string()), |html, four| html.tag("span", four))
        .raw("</p>\n<p>");
    let html = if one.free_at <= now {
        html.raw("Its time has come: it is being signed.")
    } else {
        html.raw("Time lock: ").part(&left(&one.free_at.to_string(), now))
    };
    let html = html.raw("</p>\n").maybe(one.row.proposal, |html, proposal| {
        html.raw("<p><a")
            .attribute("href", format!("/approvals/{proposal}"))
            .raw(">Who asked and who agreed</a></p>\n")
    });
    let html = if officer { stop(html, one) } else { html };
    html.raw("</li>\n")
}

fn stop(html: Html, one: &Waiting) -> Html {
    let id = one.transfer;
    let field = format!("because-{id}");
    html.raw("<form class=\"stop\"")
        .attribute("data-transfer", id)
        .raw(">\n<label")
        .attribute("for", &field)
        .raw(">Why it must not happen (the log keeps this for ever: no names)</label>\n<input")
        .attribute("id", &field)
        .raw(" name=\"because\" maxlength=\"200\" autocomplete=\"off\" required>\n<div class=\"acts\">")
        .raw("<button type=\"submit\" class=\"no\">Stop this withdrawal</button></div>\n</form>\n")
}

fn frozen(html: Html, freezes: &[FreezeRow]) -> Html {
    if freezes.is_empty() {
        return html;
    }
    html.raw("<section class=\"alarm\" aria-labelledby=\"frozen\">\n<h2 id=\"frozen\">Frozen</h2>\n<ul>\n")
        .each(freezes, |html, freeze| {
            let scope = serde_json::to_value(&freeze.scope).unwrap_or_default();
            let scope = scope.as_str().map_or_else(|| scope.to_string(), str::to_owned);
            html.raw("<li>")
                .text(scope)
                .raw(", since ")
                .text(freeze.set_at)
                .raw(": ")
                .text(&freeze.because)
                .raw("</li>\n")
        })
        .raw("</ul>\n<p>A quorum unfreezes.</p>\n</section>\n")
}

fn freeze(html: Html) -> Html {
    html.raw("<section aria-labelledby=\"freeze\">\n<h2 id=\"freeze\">Freeze everything</h2>\n<p>No withdrawal is ")
        .raw("asked for or signed any more, from the next entry of the log on. Only a quorum undoes it.</p>\n")
        .raw("<form id=\"freeze-all\">\n<label for=\"because\">Why (the log keeps this for ever: no names)</label>\n")
        .raw("<input id=\"because\" name=\"because\" maxlength=\"200\" autocomplete=\"off\" required>\n")
        .raw("<label class=\"tick\"><input type=\"checkbox\" name=\"sure\" required> I want every payment of this institution to stop now.</label>\n")
        .raw("<div class=\"acts\"><button type=\"submit\" class=\"no\">Freeze everything</button></div>\n</form>\n</section>\n")
}
