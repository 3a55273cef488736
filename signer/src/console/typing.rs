//! Pieces as officers type them, and the screen that shows one. Never leaves words in the scrollback
//! of a terminal: they are shown and typed on its second screen, which is wiped.

use std::io::{BufRead, IsTerminal, Write, stdin, stdout};

use strongroom_domain::{
    PersonId,
    key::{BackedUp, Protocol},
};
use strongroom_secrets::SecretText;
use strongroom_signer::backup::{Pieces, check};
use zeroize::Zeroizing;

use crate::Failure;

/// Switches to the terminal's second screen; what was there goes with it.
pub(super) struct Screen {
    terminal: bool,
}

impl Screen {
    pub(super) fn open() -> Result<Self, Failure> {
        let terminal = stdout().is_terminal();
        if terminal {
            write!(stdout(), "\x1b[?1049h\x1b[2J\x1b[H")?;
        }
        Ok(Self { terminal })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.terminal {
            // Best effort: the terminal may be gone.
            let _ = write!(stdout(), "\x1b[2J\x1b[3J\x1b[?1049l");
            let _ = stdout().flush();
        }
    }
}

/// A line of standard input; `None` at its end.
pub(super) fn line() -> Result<Option<Zeroizing<String>>, Failure> {
    // Long enough that it does not grow, which would leave a copy behind.
    let mut line = Zeroizing::new(String::with_capacity(1024));
    Ok(if stdin().lock().read_line(&mut line)? == 0 { None } else { Some(line) })
}

/// Reads pieces until there are enough, each checked as it comes. At a terminal a wrong one is asked
/// for again; from a pipe it ends the command.
pub(super) fn pieces(protocol: Protocol, backup: &BackedUp) -> Result<Pieces, Failure> {
    let needed = usize::from(backup.threshold);
    let mut pieces = Pieces::new();
    while pieces.len() < needed {
        let _screen = Screen::open()?;
        let mut out = stdout();
        if out.is_terminal() {
            writeln!(out, "{} of {needed} pieces are in. Who has one:\n", pieces.len())?;
            for (number, officer) in (1_u16..).zip(&backup.officers) {
                writeln!(out, "  {number}  {officer}")?;
            }
            writeln!(out, "\nType the number of the piece and its 24 words, then Enter:")?;
        }
        out.flush()?;
        let Some(line) = line()? else {
            return Err(format!("{} pieces were typed, it takes {needed}", pieces.len()).into());
        };
        match piece(protocol, backup, &line) {
            Ok((number, words)) => drop(pieces.insert(number, words)),
            Err(error) if stdout().is_terminal() && stdin().is_terminal() => {
                writeln!(out, "\n{error}\n\nPress Enter to try again.")?;
                out.flush()?;
                drop(self::line()?);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(pieces)
}

fn piece(protocol: Protocol, backup: &BackedUp, line: &str) -> Result<(u16, SecretText), Failure> {
    let (number, words) = line.trim().split_once(char::is_whitespace).unwrap_or_default();
    let number = number.parse::<u16>().ok();
    let number =
        number.filter(|number| (1..=backup.officers.len()).contains(&usize::from(*number)));
    let Some(number) = number else {
        return Err("a line begins with the number of the piece, then its 24 words".into());
    };
    let words = SecretText::new(words.to_owned());
    check(protocol, &backup.commitment, number, &words)?;
    Ok((number, words))
}

/// Whose pieces these are, in the order of their numbers.
pub(super) fn officers(backup: &BackedUp, pieces: &Pieces) -> Vec<PersonId> {
    let numbered = (1_u16..).zip(&backup.officers);
    numbered.filter(|(number, _)| pieces.contains_key(number)).map(|(_, id)| *id).collect()
}
