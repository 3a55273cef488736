//! A deployment, and the steps by which its people come to sit at browsers. Every right and every
//! key gets into the log as in real life: by a proposal that a quorum agrees to.

use serde_json::{Value, json};
use strongroom_domain::Network;
use strongroom_tests::browser::{Browser, Key};
use strongroom_tests::deployment::{Deployment, Networks, Person};
use strongroom_tests::journey::{Payment, amounts, text};

/// Where its payments go.
pub(super) const NETWORK: Network = Network::EthereumDev;

/// A deployment in a folder of its own.
pub(super) struct House {
    pub(super) strongroom: Deployment,
    // Behind it: its processes write there.
    _root: tempfile::TempDir,
}

impl House {
    pub(super) fn found() -> Self {
        let root = tempfile::tempdir().unwrap();
        let strongroom = Deployment::found(root.path(), Networks::without_bitcoin());
        Self { strongroom, _root: root }
    }

    /// A page's address, as people write it: passkeys are bound to `localhost`.
    pub(super) fn at(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.strongroom.server.port)
    }

    pub(super) fn asker(&self) -> &str {
        &self.strongroom.desk.institution.initiator.id
    }

    pub(super) fn approver(&self, index: usize) -> &Person {
        &self.strongroom.desk.institution.approvers[index]
    }

    /// Puts a change of people to the quorum, which agrees.
    pub(super) fn change(&self, change: &Value) {
        let desk = &self.strongroom.desk;
        let answer = desk.initiator().post("/people/changes", &json!({ "change": change })).ok();
        desk.approve(&text(&answer, "proposal"));
    }

    /// A fresh invitation: its secret, and the hash that goes into the log.
    fn invitation(&self) -> (String, String) {
        let file = self.strongroom.root.join(format!("invitation-{}", uuid::Uuid::new_v4()));
        let mut invite = self.strongroom.desk.programs.server();
        let said = invite.arg("invite").arg("--out").arg(&file).output().unwrap();
        assert!(said.status.success(), "{said:?}");
        let said: Value = serde_json::from_slice(&said.stdout).unwrap();
        let hash = text(&said, "invitation_sha256");
        (std::fs::read_to_string(file).unwrap().trim().to_owned(), hash)
    }

    /// Invites a person of the charter.
    pub(super) fn invite(&self, person: &str) -> String {
        let (secret, invitation) = self.invitation();
        self.change(&json!({"invite": {"person": person, "invitation": invitation}}));
        secret
    }

    /// Enrols whoever has the secret, in the browser, by the keyboard alone.
    pub(super) fn enrol(&self, browser: &Browser, secret: &str, name: &str) {
        browser.goto(&self.at("/enrol"));
        assert_fits(browser);
        browser.tab_to("#invitation");
        browser.type_text(secret);
        browser.tab_to("#name");
        browser.type_text(name);
        browser.tab_to("button[value='passkey']");
        browser.press(Key::Enter);
        browser.await_text("#result.good", "enrolled");
        let codes = browser.look("return document.querySelectorAll('#codes li').length");
        assert_eq!(codes, 10);
        assert_fits(browser);
        browser.tab_to("#on");
        browser.press(Key::Enter);
        browser.await_path("/approvals");
    }

    /// Signs in with the passkey, by the keyboard alone.
    pub(super) fn sign_in(&self, browser: &Browser, name: &str) {
        browser.goto(&self.at("/sign-in"));
        browser.tab_to("#name");
        browser.type_text(name);
        browser.press(Key::Enter);
        browser.await_path("/approvals");
    }

    /// Makes a passkey to approve with, and has the quorum put it into the charter.
    pub(super) fn approval_key(&self, browser: &Browser) -> String {
        browser.goto(&self.at("/passkey"));
        assert_fits(browser);
        browser.tab_to("#new-key button");
        browser.press(Key::Enter);
        browser.await_text("#result.good", "The key is made");
        let proposal = browser.await_shown("#proposal").text();
        let proposal: Value = serde_json::from_str(&proposal).unwrap();
        let change = &proposal["change"];
        self.change(change);
        text(&change["add-key"]["key"]["webauthn"], "key")
    }

    /// A funded wallet and a payment out of it that the policy lets be asked for.
    pub(super) fn payment(&self) -> Payment {
        let destination = self.strongroom.outside_address(NETWORK);
        self.strongroom.desk.allow(&[(NETWORK, destination.clone())]);
        let custody = self.strongroom.desk.custody(NETWORK);
        let (deposit, amount, fee_cap) = amounts(NETWORK);
        self.strongroom.deposit(&custody, deposit);
        Payment { custody, destination, amount: amount / 4, fee_cap }
    }

    pub(super) fn close(mut self) {
        super::super::spine::the_audit_agrees(&self.strongroom);
        self.strongroom.stop();
    }
}

/// Nothing of the page is wider than its window.
pub(super) fn assert_fits(browser: &Browser) {
    let wide = browser
        .look("const page = document.documentElement; return [page.scrollWidth, page.clientWidth]");
    assert_eq!(wide[0], wide[1], "{} scrolls sideways", browser.url());
}
