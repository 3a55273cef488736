//! A statement in the order in which a person needs it. Each fact is a line of the text and is tied
//! to it: never one that comes from elsewhere.

use super::{
    html::Html,
    said::{Line, Said, fours},
};

/// Of a payment: where the money goes, and what that may cost.
const PAYMENT: &[&str] = &["To", "Known as", "On", "Fee at most"];
/// What is not as it usually is.
const UNUSUAL: &[&str] = &["UNUSUAL"];
/// Which rules were asked.
const RULES: &[&str] = &["Rules passed", "Unusual"];
/// Who asks, who must agree, and when.
const PEOPLE: &[&str] = &["Asked by", "Needs", "and", "Time lock", "Valid until"];

/// A fact, tied to its line: the script refuses to sign where they differ.
fn fact(html: Html, tag: &'static str, class: &'static str, line: &Line<'_>) -> Html {
    let html = html.raw("<").raw(tag);
    let html = if class.is_empty() { html } else { html.attribute("class", class) };
    let html = html.attribute("data-line", line.number).attribute("data-from", line.from).raw(">");
    let html = if class == "address" {
        html.each(fours(line.value), |html, four| html.tag("span", four))
    } else {
        html.text(line.value)
    };
    html.raw("</").raw(tag).raw(">\n")
}

/// Lines with names as a list of names and values, and those without as lines of a list.
fn list(mut html: Html, lines: &[Line<'_>]) -> Html {
    for run in lines.chunk_by(|one, next| one.name.is_empty() == next.name.is_empty()) {
        html = if run.first().is_some_and(|line| line.name.is_empty()) {
            html.raw("<ul class=\"lines\">\n")
                .each(run, |html, line| {
                    fact(html, "li", if line.changes() { "changed" } else { "" }, line)
                })
                .raw("</ul>\n")
        } else {
            html.raw("<dl>\n")
                .each(run, |html, line| {
                    let class = if line.name == "To" { "address" } else { "" };
                    fact(html.tag("dt", line.name), "dd", class, line)
                })
                .raw("</dl>\n")
        };
    }
    html
}

fn section(html: Html, (id, title): (&'static str, &'static str), lines: &[Line<'_>]) -> Html {
    if lines.is_empty() {
        return html;
    }
    let html =
        html.raw("<section aria-labelledby=\"").raw(id).raw("\">\n<h2 id=\"").raw(id).raw("\">");
    list(html.raw(title).raw("</h2>\n"), lines).raw("</section>\n")
}

/// Takes the lines of these names out, in the order of the names.
fn take<'a>(lines: &mut Vec<Line<'a>>, names: &[&str]) -> Vec<Line<'a>> {
    let (mut taken, rest): (Vec<_>, Vec<_>) =
        lines.iter().partition(|line| names.contains(&line.name));
    *lines = rest;
    taken.sort_by_key(|line| names.iter().position(|name| *name == line.name));
    taken
}

/// A statement, for a person who has a minute.
pub(super) fn summary(html: Html, text: &str) -> Html {
    let Said { mut asked, mut frame } = Said::read(text);
    let html = html.raw("<section aria-labelledby=\"what\">\n<h2 id=\"what\">What is asked</h2>\n");
    let first = if asked.is_empty() { None } else { Some(asked.remove(0)) };
    let pays = first.is_some_and(|line| line.name == "PAY");
    let html = html.maybe(first, |html, line| {
        let html = html.raw("<p class=\"verb\">").text(line.name).raw("</p>");
        fact(html, "p", "amount", &line)
    });
    let unusual = take(&mut asked, UNUSUAL);
    let rules = take(&mut asked, RULES);
    // Of what is no payment every line matters, in its own order.
    let shown = if pays { take(&mut asked, PAYMENT) } else { std::mem::take(&mut asked) };
    let html = list(html, &shown).raw("</section>\n");
    let html = if unusual.is_empty() {
        html
    } else {
        html.raw("<section class=\"unusual\" aria-labelledby=\"unusual\">\n")
            .raw("<h2 id=\"unusual\">Not as usual</h2>\n<ul>\n")
            .each(&unusual, |html, line| fact(html, "li", "", line))
            .raw("</ul>\n</section>\n")
    };
    let people = take(&mut frame, PEOPLE);
    let html = section(html, ("who", "Who, and when"), &people);
    let html = section(html, ("rules", "Rules that were asked"), &rules);
    asked.append(&mut frame);
    let html = html.raw("<details class=\"card\"><summary>To what your word is bound</summary>\n");
    list(html, &asked).raw("</details>\n")
}

#[cfg(test)]
mod tests {
    use super::{Html, Said, summary};

    #[test]
    fn nothing_that_the_text_says_is_left_out_or_said_twice() {
        let opening = "Strongroom approval statement, version 2\n\nI, approver x,\nAPPROVE the following.\n\n";
        for body in [
            "PAY           1 LTC (100 litoshi)\nTo:           a\nRules passed: r\nUNUSUAL:      u\n\
             Transfer:     t\n\nAsked by:     person 2\nand:          b\nLog:          l\n",
            "CHANGE WHO MUST AGREE\ntoday:\n  one\nfrom then on:\n  two\n\nAsked by:     person 2\n",
            "PUT IN FORCE  policy version 2\n  + rule: x\n\nLog:          l\n",
        ] {
            let text = format!("{opening}{body}");
            let page = summary(Html::new(), &text).into_text();
            let said = Said::read(&text);
            for line in said.asked.iter().chain(&said.frame) {
                let tied = format!("data-line=\"{}\"", line.number);
                assert_eq!(page.matches(&tied).count(), 1, "{}", line.value);
            }
        }
    }
}
