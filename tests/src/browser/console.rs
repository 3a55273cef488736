//! What a browser complained of. Reading empties the browser's own list, so it is kept here.

use std::cell::RefCell;

use serde_json::json;

use super::Browser;

/// Complaints so far.
#[derive(Default)]
pub(super) struct Console {
    said: RefCell<Vec<String>>,
}

impl Console {
    /// All of them: errors and warnings, violations of the content security policy among them.
    pub(super) fn read(&self, browser: &Browser) -> Vec<String> {
        let new = browser.post("/se/log", &json!({"type": "browser"}));
        let mut said = self.said.borrow_mut();
        for entry in new.as_array().into_iter().flatten() {
            let (level, text) = (&entry["level"], entry["message"].as_str().unwrap_or_default());
            if level == "SEVERE" || level == "WARNING" {
                said.push(text.to_owned());
            }
        }
        said.clone()
    }

    /// A panic where there is one that is not expected, or one less.
    pub(super) fn judge(&self, browser: &Browser, expected: &[&str]) {
        let said = self.read(browser);
        let is_known = |text: &&String| !expected.iter().any(|part| text.contains(part));
        let unknown: Vec<_> = said.iter().filter(is_known).collect();
        assert!(unknown.is_empty(), "the browser complained: {unknown:#?}");
        for part in expected {
            let came = said.iter().any(|text| text.contains(part));
            assert!(came, "the browser was to complain of {part:?}: {said:#?}");
        }
    }
}
