//! An officer at the queue: one withdrawal is stopped while its time lock runs, then everything is
//! frozen. Both by one person, both after a fresh proof of who that is.

use serde_json::{Value, json};
use strongroom_tests::browser::{Browser, Key, Window};
use strongroom_tests::journey::{PATIENCE, text};

use super::house::{House, assert_fits};

/// Another policy: every withdrawal waits for an hour.
fn lock(house: &House) {
    let client = house.strongroom.desk.initiator();
    let mut policy = client.get("/policy").ok()["policy"].take();
    let version = policy["version"].as_u64().unwrap() + 1;
    policy["version"] = json!(version);
    let rule = json!({"id": "an-hour", "scope": {}, "demand": {"delay": {"seconds": 3600}}});
    policy["rules"].as_array_mut().unwrap().push(rule);
    let answer = client.post("/policies", &json!({ "policy": policy })).ok();
    house.strongroom.desk.approve(&text(&answer, "proposal"));
    client.wait("/policy", PATIENCE, |policy| policy["version"] == version);
}

#[test]
fn one_officer_stops_a_withdrawal_in_its_time_lock_and_freezes_everything() {
    let house = House::found();
    let desk = &house.strongroom.desk;
    let secret = house.invite(&desk.institution.officer.id);
    let payment = house.payment();
    lock(&house);
    let (transfer, proposal) = desk.ask(&payment);
    desk.approve(&proposal);
    desk.wait_for(&transfer, &["approved"]);

    let browser = Browser::open(Window::PHONE);
    let authenticator = browser.authenticator();
    house.enrol(&browser, &secret, "olga");
    browser.goto(&house.at("/queue"));
    assert_fits(&browser);
    browser.await_text(".rows time", "min left");
    let shown = browser.look("return document.querySelector('.rows .address').textContent");
    assert_eq!(shown, payment.destination.as_str());
    let form = format!("form.stop[data-transfer='{transfer}']");
    browser.tab_to(&format!("{form} input"));
    browser.type_text("the client did not ask for this");
    browser.press(Key::Enter);
    browser.await_text("#result.good", "stopped");
    let story = desk.wait_for(&transfer, &["stopped"]);
    assert!(story["transaction"]["transaction_id"].is_null(), "{story}");
    let free = |account: &Value| account["account"]["pending"] == "0";
    let path = format!("/accounts/{}", payment.custody.account);
    desk.initiator().wait(&path, PATIENCE, free);
    browser.goto(&house.at("/queue"));
    browser.await_text("#empty", "Nothing waits.");

    browser.tab_to("#because");
    browser.type_text("keys were seen on the street");
    browser.tab_to("#freeze-all input[type='checkbox']");
    browser.press(Key::Space);
    browser.tab_to("#freeze-all button");
    browser.press(Key::Enter);
    browser.await_text("#result.good", "Everything is frozen.");
    let refused = desk.initiator().post("/transactions", &desk.request(&payment));
    assert_eq!(refused.refused(), "frozen");
    browser.goto(&house.at("/queue"));
    assert_fits(&browser);
    browser.await_text(".alarm", "keys were seen on the street");
    assert!(!authenticator.passkeys().is_empty());
    browser.close(&[]);
    house.close();
}
