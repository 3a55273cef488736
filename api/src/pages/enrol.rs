//! `/enrol`: from an invitation to a way in. Recovery codes are shown once and kept nowhere.

use super::{
    frame::{Page, Place},
    html::Html,
};

/// The page.
pub(super) async fn page() -> Page {
    let main = Html::new().raw(
        "<form id=\"enrol\">\n\
         <label for=\"invitation\">Invitation</label>\n\
         <input id=\"invitation\" name=\"invitation\" type=\"password\" autocomplete=\"off\" required autofocus>\n\
         <label for=\"name\">The name that you will sign in with</label>\n\
         <input id=\"name\" name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required>\n\
         <div class=\"acts\"><button type=\"submit\" name=\"way\" value=\"passkey\">Make a passkey</button></div>\n\
         <details>\n<summary>I have no device for a passkey</summary>\n\
         <p>A password and the code of an authenticator app, both, each time. It lets you in; it approves nothing.</p>\n\
         <div class=\"acts\"><button type=\"submit\" name=\"way\" value=\"password\">Use a password and a code</button></div>\n\
         </details>\n</form>\n\
         <form id=\"confirm\" hidden>\n<h2>Your authenticator app</h2>\n\
         <p>Put this key into it:</p>\n<p><code id=\"totp-secret\"></code></p>\n\
         <label for=\"password\">New password</label>\n\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" minlength=\"12\" required>\n\
         <label for=\"code\">The code that it shows now</label>\n\
         <input id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" pattern=\"[0-9]{6}\" required>\n\
         <div class=\"acts\"><button type=\"submit\">Finish</button></div>\n</form>\n\
         <section id=\"recovery\" hidden>\n<h2>Your recovery codes</h2>\n\
         <p>Each lets you in once when everything else is lost. They are shown now and never again: print \
         them, and lock them away.</p>\n<ul id=\"codes\" class=\"codes\"></ul>\n\
         <p><a id=\"on\" href=\"/approvals\">I have them. Go on.</a></p>\n</section>",
    );
    Page { title: "Enrol".to_owned(), place: Place::Outside, script: "enrol", main }
}
