//! Text that becomes part of a page. What comes from anywhere but this program's own source is
//! escaped, always: no function here takes markup that was made at run time.

use std::fmt::{Display, Write as _};

/// A page, or a part of one.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Html(String);

impl Html {
    /// Nothing yet.
    pub(super) const fn new() -> Self {
        Self(String::new())
    }

    /// Markup of this program's own.
    #[must_use]
    pub(super) fn raw(mut self, markup: &'static str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// Text, between tags or inside the quotes of an attribute.
    #[must_use]
    pub(super) fn text(mut self, text: impl Display) -> Self {
        for sign in text.to_string().chars() {
            match sign {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // Nothing that turns the direction of what follows, and nothing that is not seen.
                sign if sign.is_control() && sign != '\n' => {
                    let _ = write!(self.0, "\u{fffd}");
                }
                '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}' => {
                    self.0.push('\u{fffd}');
                }
                sign => self.0.push(sign),
            }
        }
        self
    }

    /// `<tag>text</tag>`
    #[must_use]
    pub(super) fn tag(self, tag: &'static str, text: impl Display) -> Self {
        self.raw("<").raw(tag).raw(">").text(text).raw("</").raw(tag).raw(">")
    }

    /// ` name="value"`, inside a tag.
    #[must_use]
    pub(super) fn attribute(self, name: &'static str, value: impl Display) -> Self {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    /// Another part.
    #[must_use]
    pub(super) fn part(mut self, part: &Self) -> Self {
        self.0.push_str(&part.0);
        self
    }

    /// A part for each of them.
    #[must_use]
    pub(super) fn each<T>(
        self,
        all: impl IntoIterator<Item = T>,
        part: impl Fn(Self, T) -> Self,
    ) -> Self {
        all.into_iter().fold(self, part)
    }

    /// A part if there is something to say.
    #[must_use]
    pub(super) fn maybe<T>(self, some: Option<T>, part: impl FnOnce(Self, T) -> Self) -> Self {
        match some {
            Some(some) => part(self, some),
            None => self,
        }
    }

    /// What is sent.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn text_is_never_markup() {
        let hostile = "</pre><script src=\"//x\">'&\u{202e}\u{7}\u{61c}\u{feff}";
        let page = Html::new().raw("<p").attribute("title", hostile).raw(">").text(hostile);
        let escaped = "&lt;/pre&gt;&lt;script src=&quot;//x&quot;&gt;&#39;&amp;\u{fffd}\u{fffd}\u{fffd}\u{fffd}";
        assert_eq!(page.into_text(), format!("<p title=\"{escaped}\">{escaped}"));
    }

    #[test]
    fn a_statement_is_shown_byte_by_byte() {
        let text = "PAY  1 <LTC> & \"more\"\nTo: 'x'\n";
        let shown = Html::new().text(text).into_text();
        let read = shown
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        assert_eq!(read, text);
    }
}
