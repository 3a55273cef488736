//! What all pages have in common: headers, layout, keyboard. Nobody is signed in.

use strongroom_tests::browser::{Browser, Key, Window};

use super::house::{House, assert_fits};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[test]
fn pages_load_nothing_from_elsewhere_fit_a_phone_and_work_from_the_keyboard() {
    let house = House::found();
    headers(&house);
    for window in [Window::PHONE, Window::DESK] {
        let browser = Browser::open(window);
        // It has no passkey, and says so at once.
        let _authenticator = browser.authenticator();
        for (path, last) in [("/", "a[href='/metrics']"), ("/sign-in", "a[href='/approvals']")] {
            browser.goto(&house.at(path));
            assert_fits(&browser);
            let language = browser.look("return document.documentElement.lang");
            assert_eq!(language, "en");
            browser.tab_to(last);
        }
        // Who is not signed in is led to where one does that, from every page with content.
        for path in ["/approvals", "/queue", "/passkey", &format!("/approvals/{}", house.asker())] {
            browser.goto(&house.at(path));
            browser.await_path("/sign-in");
        }
        browser.tab_to("#name");
        browser.type_text("nobody");
        browser.press(Key::Enter);
        browser.await_text("#result.bad", "The passkey was not used");
        browser.goto(&house.at("/enrol"));
        assert_fits(&browser);
        browser.tab_to("#invitation");
        browser.type_text(&"0".repeat(64));
        browser.tab_to("#name");
        browser.type_text("stranger");
        browser.press(Key::Enter);
        browser.await_text("#result.bad", "invitation");
        // Of the refusal, as Chromium tells of every answer that is an error.
        browser.close(&["/api/v1/enrolment"]);
    }
    house.close();
}

fn headers(house: &House) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    for (path, status) in [
        ("/", 200),
        ("/sign-in", 200),
        ("/enrol", 200),
        ("/approvals", 303),
        ("/queue", 303),
        ("/passkey", 303),
        ("/static/strongroom.js", 200),
        ("/static/strongroom.css", 200),
        ("/static/icon.svg", 200),
        ("/static/nothing", 404),
    ] {
        let answer = runtime.block_on(http.get(house.at(path)).send()).unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let said = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(said("content-security-policy"), Some(POLICY), "{path}");
        assert_eq!(said("cache-control"), Some("no-store"), "{path}");
        assert_eq!(said("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(said("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(said("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(said("cross-origin-opener-policy"), Some("same-origin"), "{path}");
        let permissions = said("permissions-policy").unwrap();
        assert!(permissions.starts_with("publickey-credentials-get=(self)"), "{path}");
        assert!(answer.headers().get("set-cookie").is_none(), "{path}");
    }
}
