//! `/sign-in`: with a passkey, or with what there is for days without one. Never a secret in an
//! address.

use super::{
    frame::{Page, Place},
    html::Html,
};

/// The page.
pub(super) async fn page() -> Page {
    let main = Html::new().raw(
        "<form id=\"passkey\">\n<h2>With a passkey</h2>\n\
         <label for=\"name\">Your sign-in name</label>\n\
         <input id=\"name\" name=\"name\" autocomplete=\"username webauthn\" autocapitalize=\"none\" spellcheck=\"false\" required autofocus>\n\
         <div class=\"acts\"><button type=\"submit\">Sign in with a passkey</button></div>\n</form>\n\
         <details class=\"card\">\n<summary>Without a passkey</summary>\n<form id=\"password\">\n\
         <label for=\"password-name\">Your sign-in name</label>\n\
         <input id=\"password-name\" name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required>\n\
         <label for=\"password-text\">Password</label>\n\
         <input id=\"password-text\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\n\
         <label for=\"code\">Code of your authenticator app</label>\n\
         <input id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" pattern=\"[0-9]{6}\" required>\n\
         <div class=\"acts\"><button type=\"submit\">Sign in with password and code</button></div>\n</form>\n</details>\n\
         <details class=\"card\">\n<summary>With a recovery code</summary>\n<form id=\"recovery\">\n\
         <p>It lets you in to make a new passkey, and to nothing that moves money.</p>\n\
         <label for=\"recovery-name\">Your sign-in name</label>\n\
         <input id=\"recovery-name\" name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required>\n\
         <label for=\"recovery-code\">Recovery code</label>\n\
         <input id=\"recovery-code\" name=\"recovery_code\" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" required>\n\
         <div class=\"acts\"><button type=\"submit\">Sign in with a recovery code</button></div>\n</form>\n</details>\n\
         <p>The first time? <a href=\"/enrol\">Enrol with an invitation.</a> Signed in already? \
         <a href=\"/approvals\">Go on.</a></p>",
    );
    Page { title: "Sign in".to_owned(), place: Place::Outside, script: "sign-in", main }
}
