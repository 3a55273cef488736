//! What a statement says, line by line: everything that a page shows above the text is taken from
//! the text itself, never from anywhere else.

/// A statement, as lines with a name and a value.
#[derive(Clone, Debug)]
pub(super) struct Said<'a> {
    /// What is asked: begins with a verb, in capitals.
    pub(super) asked: Vec<Line<'a>>,
    /// Who asks, who must agree, until when, and to what it is bound.
    pub(super) frame: Vec<Line<'a>>,
}

/// A line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Line<'a> {
    /// Which line of the text it is, from 0.
    pub(super) number: usize,
    /// Where its value begins, in characters.
    pub(super) from: usize,
    /// What it is about; empty where the line is one of a list.
    pub(super) name: &'a str,
    /// What it says.
    pub(super) value: &'a str,
}

/// Title, an empty line, whose statement it is, yes or no, and another empty line.
const OPENING: usize = 5;

impl<'a> Said<'a> {
    /// Reads a statement.
    pub(super) fn read(text: &'a str) -> Self {
        let lines: Vec<_> = text.lines().enumerate().skip(OPENING).collect();
        let end = lines.iter().position(|(_, line)| line.is_empty()).unwrap_or(lines.len());
        let (asked, frame) = lines.split_at(end);
        let read = |lines: &[(usize, &'a str)]| {
            let full = lines.iter().filter(|(_, line)| !line.is_empty());
            full.map(|(number, line)| Line::read(*number, line)).collect()
        };
        Self { asked: read(asked), frame: read(frame) }
    }
}

impl<'a> Line<'a> {
    /// `Name:  value`, `VERB  value`, or a line of a list.
    fn read(number: usize, line: &'a str) -> Self {
        let whole = Self { number, from: 0, name: "", value: line };
        if line.starts_with(' ') {
            return whole;
        }
        let (name, rest) = match (line.split_once(':'), line.split_once("  ")) {
            (Some((name, rest)), _) if !name.contains("  ") => (name, rest),
            (_, Some((name, rest))) => (name, rest),
            _ => return whole,
        };
        let value = rest.trim_start();
        let from = line.len().saturating_sub(value.len());
        Self { number, from, name, value }
    }

    /// Whether it says that something becomes other than it is.
    pub(super) fn changes(&self) -> bool {
        let text = self.value.trim_start();
        self.name.is_empty()
            && ["+ ", "- ", "! ", "becomes: "].iter().any(|it| text.starts_with(it))
    }
}

/// An address in groups of four, for eyes.
pub(super) fn fours(address: &str) -> Vec<String> {
    let signs: Vec<char> = address.chars().collect();
    signs.chunks(4).map(|four| four.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Said, fours};

    const TEXT: &str = "Strongroom approval statement, version 2\n\nI, approver x,\nAPPROVE the \
        following.\n\nCHANGE RIGHTS of person 1\n  - role officer\n    role viewer\nTo:           rltc1q\n\
        PAY           1.0 LTC (100000000 litoshi)\n\nAsked by:     person 2\nNeeds:        2 of 3 \
        approvers\nand:          1 of 2 approvers\n";

    #[test]
    fn every_line_is_read_and_says_where_it_stands() {
        let said = Said::read(TEXT);
        let names = |lines: &[super::Line<'_>]| -> Vec<String> {
            lines.iter().map(|line| line.name.to_owned()).collect()
        };
        assert_eq!(names(&said.asked), ["", "", "", "To", "PAY"]);
        assert_eq!(names(&said.frame), ["Asked by", "Needs", "and"]);
        let changes: Vec<_> = said.asked.iter().map(super::Line::changes).collect();
        assert_eq!(changes, [false, true, false, false, false]);
        for line in said.asked.iter().chain(&said.frame) {
            let whole = TEXT.lines().nth(line.number).unwrap();
            assert_eq!(&whole[line.from..], line.value);
        }
    }

    #[test]
    fn a_text_of_any_form_is_read() {
        for text in ["", "\n", "a\nb\n\n\n\n", "1\n2\n3\n4\n5\n:\n  \n"] {
            let _ = Said::read(text);
        }
    }

    #[test]
    fn an_address_is_cut_in_fours_and_nothing_of_it_is_lost() {
        let address = "rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9";
        assert_eq!(fours(address).concat(), address);
        assert_eq!(fours("abcdef"), ["abcd", "ef"]);
    }
}
