//! Keys, pressed as a person presses them: they go wherever the focus is.

use serde_json::json;

use super::Browser;

/// More than any page has places to stop at.
const STOPS: usize = 80;

/// A key that is no letter. Its code is the protocol's (W3C WebDriver §17.4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// To the next place.
    Tab,
    /// Press what has the focus.
    Enter,
    /// The same, and ticks boxes.
    Space,
}

impl Key {
    const fn code(self) -> char {
        match self {
            Self::Tab => '\u{e004}',
            Self::Enter => '\u{e007}',
            Self::Space => ' ',
        }
    }
}

impl Browser {
    /// Presses a key.
    pub fn press(&self, key: Key) {
        self.type_text(&key.code().to_string());
    }

    /// Types text where the focus is.
    pub fn type_text(&self, text: &str) {
        let strokes: Vec<_> = text
            .chars()
            .flat_map(|letter| {
                ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": letter.to_string()}))
            })
            .collect();
        let actions = json!([{"type": "key", "id": "keyboard", "actions": strokes}]);
        self.post("/actions", &json!({ "actions": actions }));
    }

    /// Goes on by Tab until the focus is on `selector`. Panics where it never comes there, or where
    /// a stop on the way shows no focus.
    pub fn tab_to(&self, selector: &str) {
        for _ in 0..STOPS {
            let at = self.look(&format!(
                "const at = document.activeElement, style = getComputedStyle(at);
                 return [at.matches({selector:?}), at === document.body
                     || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2),
                     at.outerHTML.slice(0, 120)];"
            ));
            assert!(at[1] == true, "no focus is to be seen on {}", at[2]);
            if at[0] == true {
                return;
            }
            self.press(Key::Tab);
        }
        panic!("the keyboard does not come to {selector} at {}", self.url());
    }
}
