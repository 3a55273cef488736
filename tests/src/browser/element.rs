//! An element of a page. Never changed by a script: it is clicked and typed into.

use serde_json::{Value, json};

use super::Browser;

/// The key under which the protocol names an element (W3C WebDriver §12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// An element that was there when it was found.
pub struct Element<'a> {
    browser: &'a Browser,
    path: String,
}

impl<'a> Element<'a> {
    pub(super) fn new(browser: &'a Browser, found: &Value) -> Self {
        let id = found[ELEMENT].as_str().expect("an element");
        Self { browser, path: format!("/element/{id}") }
    }

    /// Whether a person sees it.
    pub fn is_shown(&self) -> bool {
        let rect = self.try_get("rect");
        let wide = rect.is_some_and(|rect| rect["width"].as_f64().unwrap_or_default() > 0.0);
        wide && self.try_get("displayed").is_some_and(|shown| shown == true)
    }

    fn try_get(&self, what: &str) -> Option<Value> {
        // The page may have gone on: then the element is not there any more.
        self.browser.try_get(&format!("{}/{what}", self.path)).ok()
    }

    pub(super) fn try_text(&self) -> Option<String> {
        self.try_get("text")?.as_str().map(str::to_owned)
    }

    /// Its text, as it is shown.
    pub fn text(&self) -> String {
        self.try_text().expect("a text")
    }

    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.try_get(&format!("attribute/{name}"))?.as_str().map(str::to_owned)
    }

    /// Presses it with the pointer.
    pub fn click(&self) {
        self.browser.post(&format!("{}/click", self.path), &json!({}));
    }

    /// Types into it.
    pub fn write(&self, text: &str) {
        self.browser.post(&format!("{}/value", self.path), &json!({"text": text}));
    }
}
