//! From an invitation to a payment on the chain, by passkey; what the page refuses, and what signers
//! would not have taken.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use strongroom_tests::browser::{Browser, Key, Meddler, Window};
use strongroom_tests::journey::text;

use super::house::{House, NETWORK, assert_fits};

/// What Chromium says of a page that asks for P-256 keys alone, which is all that the charter takes.
const ONE_ALGORITHM: &str = "pubKeyCredParams is missing at least one of the default algorithm";

#[test]
fn a_withdrawal_is_read_and_approved_with_a_passkey_and_paid_by_signers_that_checked_it() {
    let house = House::found();
    let desk = &house.strongroom.desk;
    let person = house.approver(0);
    let browser = Browser::open(Window::PHONE);
    let authenticator = browser.authenticator();
    let secret = house.invite(&person.id);
    house.enrol(&browser, &secret, "ada");
    let key = house.approval_key(&browser);
    assert_eq!(authenticator.passkeys().len(), 2, "one to sign in, one to approve");

    let payment = house.payment();
    let (transfer, proposal) = desk.ask(&payment);
    desk.approve_as(house.approver(1), &proposal).unwrap();

    // In again, on another day.
    browser.forget_cookies();
    house.sign_in(&browser, "ada");
    assert_fits(&browser);
    let link = format!("a[href='/approvals/{proposal}']");
    browser.tab_to(&link);
    browser.press(Key::Enter);
    browser.await_path(&format!("/approvals/{proposal}"));
    assert_fits(&browser);
    reads(&browser, &payment.destination);
    let form = browser.find("form.answer[data-answer='approve']").unwrap();
    let hash = form.attribute("data-sha256").unwrap();
    browser.tab_to("form.answer[data-answer='approve'] button");
    browser.press(Key::Enter);
    let said = browser.await_text("#result.good", "You approved.");
    assert!(said.contains("The quorum is reached."), "{said}");

    let paid = house.strongroom.settle(NETWORK, &transfer);
    assert_eq!(paid["transaction"]["paid"], payment.amount.to_string().as_str(), "{paid}");
    let answers = paid["proposal"]["answers"].as_array().unwrap();
    let mine = answers.iter().find(|answer| answer["approver"] == person.id.as_str()).unwrap();
    assert_eq!(mine["key"], key.as_str());
    assertion_over(&house, mine["position"].as_u64().unwrap(), &hash);
    browser.goto(&house.at(&format!("/approvals/{proposal}")));
    browser.await_text("#closed", "nobody can answer it any more");
    browser.close(&[ONE_ALGORITHM]);
    house.close();
}

/// What stands on the page, for a person in a hurry.
fn reads(browser: &Browser, destination: &str) {
    let amount = browser.find(".amount").unwrap().text();
    assert!(amount.starts_with("0.5") && amount.contains("ETH"), "{amount}");
    let address = browser.look("return document.querySelector('dd.address').textContent");
    assert_eq!(address, destination);
    let page = browser.look("return document.querySelector('main').innerText");
    let page = page.as_str().unwrap();
    for part in ["outside-", "ethereum-dev", "Fee at most", "NOT AS USUAL", "1 of 2 agreed."] {
        assert!(page.to_lowercase().contains(&part.to_lowercase()), "no {part:?} in:\n{page}");
    }
    // The text is under the eyes of whoever presses the button, not behind a fold.
    let pre = browser.find("form.answer[data-answer='approve'] pre").unwrap();
    assert!(pre.is_shown() && pre.text().contains(destination));
}

/// The log keeps what the authenticator said, and the challenge is the statement's hash.
fn assertion_over(house: &House, position: u64, hash: &str) {
    let path = format!("/events?after={}&limit=1", position - 1);
    let event = house.strongroom.desk.initiator().get(&path).ok()["items"][0].take();
    assert_eq!(event["kind"], "proposal.approved", "{event}");
    let payload: Value = serde_json::from_str(&text(&event, "payload")).unwrap();
    let assertion = &payload["evidence"]["assertion"];
    let client = hex::decode(text(assertion, "client_data")).unwrap();
    let client: Value = serde_json::from_slice(&client).unwrap();
    assert_eq!(client["type"], "webauthn.get");
    let challenge = URL_SAFE_NO_PAD.decode(text(&client, "challenge")).unwrap();
    assert_eq!(hex::encode(challenge), hash);
    assert_eq!(client["origin"], house.at("").as_str());
}

#[test]
fn a_page_that_shows_another_text_signs_nothing_and_a_lie_that_is_signed_counts_for_nothing() {
    let house = House::found();
    let desk = &house.strongroom.desk;
    let meddler = Meddler::before(house.strongroom.server.port);
    let browser = Browser::open_behind(Window::DESK, meddler.port);
    let authenticator = browser.authenticator();
    let secret = house.invite(&house.approver(0).id);
    house.enrol(&browser, &secret, "ada");
    house.approval_key(&browser);
    let payment = house.payment();
    let (transfer, proposal) = desk.ask(&payment);
    desk.approve_as(house.approver(1), &proposal).unwrap();
    let page = house.at(&format!("/approvals/{proposal}"));
    let used = || authenticator.passkeys().iter().map(|one| one.used).sum::<u64>();
    let before = used();

    browser.goto(&page);
    let form = "form.answer[data-answer='approve']";
    let right = browser.find(form).unwrap().attribute("data-sha256").unwrap();
    let shown = browser.look("return document.querySelector('form.answer pre').textContent");
    let shown = shown.as_str().unwrap().to_owned();
    let thief = strongroom_tests::journey::address_of_nobody(NETWORK);
    let altered = shown.replace(&payment.destination, &thief);
    assert_ne!(altered, shown);
    let other = strongroom_domain::Digest::of(altered.as_bytes()).to_string();
    let fours = |address: &str| -> String {
        let signs: Vec<char> = address.chars().collect();
        let four = |four: &[char]| format!("<span>{}</span>", String::from_iter(four));
        signs.chunks(4).map(four).collect::<Vec<_>>().concat()
    };
    let (own_fours, thief_fours) = (fours(&payment.destination), fours(&thief));
    let in_text = (payment.destination.as_str(), thief.as_str());
    let above = (own_fours.as_str(), thief_fours.as_str());
    let hash = (right.as_str(), other.as_str());
    let press = || {
        browser.goto(&page);
        browser.find(&format!("{form} button")).unwrap().click();
    };
    for (changes, why) in [
        (&[in_text, above][..], "is not the one that the server asks you to sign"),
        (&[above], "what stands above the text is not what the text says"),
        (&[hash], "is not the one that the server asks you to sign"),
        (&[(" the following.", " the fo1lowing.")], "is not the one that the server asks"),
    ] {
        meddler.change(changes);
        press();
        browser.await_text("#result.bad", why);
        assert_eq!(used(), before, "{why}");
    }

    // A server that lies in full gets a signature over its lie, which the log does not take.
    meddler.change(&[in_text, above, hash]);
    press();
    browser.await_text("#result.bad", "signature");
    assert_eq!(used(), before + 1);
    desk.wait_for(&transfer, &["awaiting-approval"]);

    // A device that does not know who holds it says nothing.
    meddler.change(&[]);
    authenticator.knows_its_person(false);
    press();
    browser.await_text("#result.bad", "The passkey was not used");
    authenticator.knows_its_person(true);

    // No, and the text of the no is shown before it is signed.
    browser.goto(&page);
    browser.tab_to("#otherwise > summary");
    browser.press(Key::Enter);
    let no = browser.await_shown("form.answer[data-answer='decline'] pre").text();
    assert!(no.contains("DECLINE the following."), "{no}");
    browser.tab_to("form.answer[data-answer='decline'] button");
    browser.press(Key::Enter);
    browser.await_text("#result.good", "You declined.");
    let story = desk.initiator().get(&format!("/transactions/{transfer}")).ok();
    let answers = story["proposal"]["answers"].as_array().unwrap();
    assert!(answers.iter().any(|answer| answer["answer"] == "decline"), "{story}");
    // Of the lie's refusal, Chromium tells as of every answer that is an error.
    browser.close(&[ONE_ALGORITHM, "422"]);
    house.close();
}
