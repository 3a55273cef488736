//! Somebody at a browser: a cookie, a CSRF token, an authenticator in software, and an app for
//! codes. Sends what our own pages would send, and what others would make it send.

use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use totp_rs::Builder;
use webauthn_authenticator_rs::{WebauthnAuthenticator as _, softpasskey::SoftPasskey};

use super::{Running, TestClock};

/// An answer with its headers.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// One browser.
pub(crate) struct Browser {
    url: String,
    client: reqwest::Client,
    pub(crate) origin: String,
    /// From where, as the proxy says.
    pub(crate) address: &'static str,
    /// The cookie's value.
    pub(crate) cookie: Option<String>,
    pub(crate) csrf: String,
    pub(crate) passkey: SoftPasskey,
    /// The app's secret, base 32.
    pub(crate) app: String,
}

impl Reply {
    /// Asserts a problem document of this type.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, kind: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.body["type"], format!("/problems/{kind}"), "{}", self.body);
    }

    #[track_caller]
    pub(crate) fn good(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
        self.body
    }

    pub(crate) fn set_cookie(&self) -> Option<&str> {
        self.headers.get("set-cookie").map(|value| value.to_str().unwrap())
    }

    pub(crate) fn retry_after(&self) -> u64 {
        self.headers["retry-after"].to_str().unwrap().parse().unwrap()
    }
}

impl Browser {
    pub(crate) fn new(server: &Running) -> Self {
        Self::at(&server.url)
    }

    /// Of a server that listens there.
    pub(crate) fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            origin: "http://localhost:3008".to_owned(),
            address: "192.0.2.7",
            cookie: None,
            csrf: String::new(),
            // The software has no finger to ask: it says that it did.
            passkey: SoftPasskey::new(true),
            app: String::new(),
        }
    }

    /// One request with these headers alone, and the cookie.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Reply {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        request = request.header("x-forwarded-for", self.address);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("strongroom={cookie}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Reply { status, headers, body }
    }

    /// A request as our own pages send it.
    pub(crate) async fn own(&self, method: &str, path: &str, body: &Value) -> Reply {
        let headers = [("origin", self.origin.as_str()), ("x-csrf-token", self.csrf.as_str())];
        self.send(method, &format!("/api/v1{path}"), &headers, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", &format!("/api/v1{path}"), &[], &Value::Null).await
    }

    /// Remembers the cookie and the token of an answer that began a session.
    #[track_caller]
    pub(crate) fn enter(&mut self, reply: Reply) -> Value {
        let cookie = reply.set_cookie().map(str::to_owned);
        let body = reply.good();
        let cookie = cookie.unwrap();
        let value = cookie.strip_prefix("strongroom=").unwrap().split(';').next().unwrap();
        self.cookie = Some(value.to_owned());
        body["csrf"].as_str().unwrap().clone_into(&mut self.csrf);
        body
    }

    fn make(&mut self, options: &Value) -> Value {
        let options = serde_json::from_value(options.clone()).unwrap();
        let origin = self.origin.parse().unwrap();
        serde_json::to_value(self.passkey.do_registration(origin, options).unwrap()).unwrap()
    }

    /// What the authenticator says to a challenge.
    pub(crate) fn show(&mut self, options: &Value) -> Value {
        let options = serde_json::from_value(options.clone()).unwrap();
        let origin = self.origin.parse().unwrap();
        serde_json::to_value(self.passkey.do_authentication(origin, options).unwrap()).unwrap()
    }

    /// The app's code at a time.
    pub(crate) fn code(&self, clock: &TestClock) -> String {
        let secret = totp_rs::Secret::try_from_base32(&self.app).unwrap();
        let app = Builder::new().with_secret(secret).build().unwrap();
        app.generate(clock.now().micros() / 1_000_000).to_string()
    }

    /// Enrols a passkey by an invitation; what the answer says.
    pub(crate) async fn enrol_passkey(&mut self, invitation: &str, name: &str) -> Reply {
        let asked = json!({ "invitation": invitation, "name": name, "with": "passkey" });
        let begun = self.own("POST", "/enrolment", &asked).await.good();
        let credential = self.make(&begun["passkey"]);
        let made = json!({ "ceremony": begun["ceremony"], "credential": credential });
        self.own("POST", "/enrolment/finish", &made).await
    }

    /// Enrols a password by an invitation; what the answer says.
    pub(crate) async fn enrol_password(
        &mut self,
        invitation: &str,
        name: &str,
        password: &str,
        clock: &TestClock,
    ) -> Reply {
        let asked = json!({ "invitation": invitation, "name": name, "with": "password" });
        let begun = self.own("POST", "/enrolment", &asked).await.good();
        begun["totp"]["secret"].as_str().unwrap().clone_into(&mut self.app);
        let (ceremony, code) = (&begun["ceremony"], self.code(clock));
        let made = json!({ "ceremony": ceremony, "password": password, "code": code });
        self.own("POST", "/enrolment/finish", &made).await
    }

    /// Signs in with the passkey.
    pub(crate) async fn sign_in(&mut self, name: &str) -> Reply {
        let begun = self.own("POST", "/sign-in/passkey", &json!({ "name": name })).await.good();
        let credential = self.show(&begun["passkey"]);
        let shown = json!({ "ceremony": begun["ceremony"], "credential": credential });
        self.own("POST", "/sign-in/passkey/finish", &shown).await
    }

    /// Signs in with password and code.
    pub(crate) async fn by_password(&self, name: &str, password: &str, code: &str) -> Reply {
        let body = json!({ "name": name, "password": password, "code": code });
        self.own("POST", "/sign-in/password", &body).await
    }

    /// Steps up with the passkey.
    pub(crate) async fn step_up(&mut self) -> Reply {
        let begun = self.own("POST", "/session/step-up", &Value::Null).await.good();
        let credential = self.show(&begun["passkey"]);
        let shown = json!({ "ceremony": begun["ceremony"], "credential": credential });
        self.own("POST", "/session/step-up/finish", &shown).await
    }

    /// Makes one more passkey, by an authenticator that is this browser's from now on.
    pub(crate) async fn add_passkey(&mut self) -> Reply {
        let begun = self.own("POST", "/passkeys", &Value::Null).await;
        if begun.status != 200 {
            return begun;
        }
        let begun = begun.good();
        self.passkey = SoftPasskey::new(true);
        let credential = self.make(&begun["passkey"]);
        let made = json!({ "ceremony": begun["ceremony"], "credential": credential });
        self.own("POST", "/passkeys/finish", &made).await
    }
}
