//! `/`: where to go. Never anything of custody: it is for everybody.

use super::{
    frame::{Page, Place},
    html::Html,
};

/// The page.
pub(super) async fn page() -> Page {
    let main = Html::new().raw(
        "<ul class=\"rows\">\n\
         <li><h2><a href=\"/approvals\">Approvals</a></h2><p>What waits for your yes or no.</p></li>\n\
         <li><h2><a href=\"/queue\">Queue</a></h2><p>Approved withdrawals that wait for their time: the \
         last place to stop one.</p></li>\n\
         <li><h2><a href=\"/sign-in\">Sign in</a></h2><p>With a passkey. The first time, with an \
         invitation: <a href=\"/enrol\">enrol</a>.</p></li>\n</ul>\n\
         <section><h2>For programs</h2><ul>\n\
         <li><a href=\"/api/v1/openapi.json\">REST: OpenAPI document</a></li>\n\
         <li>GraphQL at <code>/graphql</code>, with introspection</li>\n\
         <li><a href=\"/readyz\">Readiness</a>, <a href=\"/metrics\">metrics</a></li>\n</ul></section>",
    );
    Page { title: "Strongroom".to_owned(), place: Place::Start, script: "start", main }
}
