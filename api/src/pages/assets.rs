//! The files that pages load: compiled in, so that there is no folder to change them in. Never
//! anything that comes from another server.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// Name, media type and content.
const FILES: &[(&str, &str, &str)] = &[
    ("strongroom.css", "text/css; charset=utf-8", include_str!("assets/strongroom.css")),
    ("strongroom.js", SCRIPT, include_str!("assets/strongroom.js")),
    ("server.js", SCRIPT, include_str!("assets/server.js")),
    ("passkey.js", SCRIPT, include_str!("assets/passkey.js")),
    ("statement.js", SCRIPT, include_str!("assets/statement.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// One of the files.
pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(file, ..)| *file == name) {
        Some((_, kind, content)) => ([(header::CONTENT_TYPE, *kind)], *content).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::FILES;

    #[test]
    fn no_file_asks_another_server_for_anything() {
        for (name, _, content) in FILES {
            let content = content.replace("http://www.w3.org/2000/svg", "");
            for word in
                ["http:", "https:", "//cdn", "eval(", "innerHTML", "document.write", "@import"]
            {
                assert!(!content.contains(word), "{name} has {word}");
            }
        }
    }
}
