//! What all pages have in common: the head, where one can go, and what is said without a script.
//! Never anything of custody.

use axum::response::{IntoResponse, Response};

use super::html::Html;

/// Where a page is among the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// `/`
    Start,
    /// `/approvals` and below.
    Approvals,
    /// `/queue`
    Queue,
    /// `/passkey`
    Passkey,
    /// Before somebody has signed in.
    Outside,
}

/// A page, with what its script needs to know of it.
pub(super) struct Page {
    /// What the window is called.
    pub(super) title: String,
    /// Where it is.
    pub(super) place: Place,
    /// Which part of the script it needs: `data-page`.
    pub(super) script: &'static str,
    /// Its own part.
    pub(super) main: Html,
}

const PLACES: &[(Place, &str, &str)] = &[
    (Place::Approvals, "/approvals", "Approvals"),
    (Place::Queue, "/queue", "Queue"),
    (Place::Passkey, "/passkey", "Your keys"),
];

impl Page {
    fn html(&self) -> Html {
        let html = Html::new()
            .raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .raw("<meta name=\"color-scheme\" content=\"light dark\">\n<title>")
            .text(&self.title)
            .raw(" · Strongroom</title>\n")
            .raw("<link rel=\"icon\" href=\"/static/icon.svg\" type=\"image/svg+xml\">\n")
            .raw("<link rel=\"stylesheet\" href=\"/static/strongroom.css\">\n")
            .raw("<script type=\"module\" src=\"/static/strongroom.js\"></script>\n</head>\n<body")
            .attribute("data-page", self.script)
            .raw(">\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header>\n")
            .raw(
                "<a class=\"name\" href=\"/\"><img src=\"/static/icon.svg\" alt=\"\" width=\"28\" ",
            )
            .raw("height=\"28\"> Strongroom</a>\n");
        let html = if self.place == Place::Outside { html } else { self.places(html) };
        html.raw("</header>\n<main id=\"main\" tabindex=\"-1\">\n<h1>")
            .text(&self.title)
            .raw("</h1>\n<noscript><p class=\"alarm\">Passkeys need JavaScript. Every script of this ")
            .raw("page comes from this server; there is no other.</p></noscript>\n")
            .part(&self.main)
            .raw("\n<p id=\"result\" role=\"status\" aria-live=\"polite\"></p>\n</main>\n</body>\n</html>\n")
    }

    fn places(&self, html: Html) -> Html {
        html.raw("<nav aria-label=\"Places\">\n")
            .each(PLACES, |html, (place, path, name)| {
                let html = html.raw("<a").attribute("href", path);
                let here = *place == self.place;
                if here { html.raw(" aria-current=\"page\"") } else { html }
                    .raw(">")
                    .text(name)
                    .raw("</a>\n")
            })
            .raw("<form id=\"sign-out\"><button type=\"submit\" class=\"plain\">Sign out</button></form>\n")
            .raw("</nav>\n")
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        axum::response::Html(self.html().into_text()).into_response()
    }
}
