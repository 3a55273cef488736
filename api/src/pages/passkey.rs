//! `/passkey`: one's own approval keys, and how to get a passkey for one. It changes nothing: whose
//! key approves is decided by a quorum.

use axum::extract::State;

use super::{
    frame::{Page, Place},
    html::Html,
};
use crate::{
    application::{Application, Caller},
    rest::Problem,
};

/// The page.
pub(super) async fn page(
    State(application): State<Application>,
    caller: Caller,
) -> Result<Page, Problem> {
    let keys = application.approval_keys(&caller);
    let main = Html::new()
        .raw("<section>\n<h2>You</h2>\n<p>In the log you are <code>")
        .text(caller.person)
        .raw("</code>.</p>\n</section>\n<section>\n<h2>Your approval keys</h2>\n");
    let main = if keys.is_empty() {
        main.raw("<p>You have none: you can't answer a question yet.</p>\n")
    } else {
        main.raw("<ul>\n")
            .each(&keys, |html, key| {
                html.raw("<li>")
                    .text(key.kind())
                    .raw(" <code>")
                    .text(key.public())
                    .raw("</code></li>\n")
            })
            .raw("</ul>\n")
    };
    let existing = serde_json::to_string(&application.passkeys_to_use(&caller)).unwrap_or_default();
    let main = main
        .raw("</section>\n<section>\n<h2>A passkey to approve with</h2>\n<p>This device makes a key that never ")
        .raw("leaves it. The key approves nothing before a quorum has agreed to it: hand the proposal below to ")
        .raw("somebody who may put it, and compare the key with them in person.</p>\n<form id=\"new-key\"")
        .attribute("data-person", caller.person)
        .attribute("data-existing", existing)
        .raw(">\n<label for=\"label\">What this device shall call it</label>\n")
        .raw("<input id=\"label\" name=\"label\" autocomplete=\"off\" value=\"Strongroom approvals\" required>\n")
        .raw("<div class=\"acts\"><button type=\"submit\">Make the key</button></div>\n</form>\n")
        .raw("<div id=\"made\" hidden>\n<h3>The key</h3>\n<p class=\"address\" id=\"key\"></p>\n")
        .raw("<h3 id=\"proposal-name\">The proposal to be made</h3>\n")
        .raw("<pre id=\"proposal\" tabindex=\"0\" aria-labelledby=\"proposal-name\"></pre>\n</div>\n</section>");
    Ok(Page { title: "Your keys".to_owned(), place: Place::Passkey, script: "passkey", main })
}
