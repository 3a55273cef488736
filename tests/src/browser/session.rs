//! One browser with one page. It waits for what must come; it never repeats what it was told to do.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Chromedriver, Element, console::Console};

/// Long enough for a busy machine; nothing asserts that it takes less.
const PATIENCE: Duration = Duration::from_mins(1);

/// How a browser's window is.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// `prefers-color-scheme: dark`.
    pub dark: bool,
}

impl Window {
    /// On a desk.
    pub const DESK: Self = Self { width: 1100, height: 1000, dark: false };
    /// On a small phone, at night.
    pub const PHONE: Self = Self { width: 360, height: 740, dark: true };
}

/// A browser. What it complains of is a panic when [`Browser::close`] ends it.
pub struct Browser {
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    session: String,
    console: Console,
    // The session is ended before it: see `drop`.
    driver: Chromedriver,
}

impl Browser {
    /// A browser with a profile of its own.
    pub fn open(window: Window) -> Self {
        Self::start(window, None)
    }

    /// One whose every request goes through a proxy on a port of loopback.
    pub fn open_behind(window: Window, proxy: u16) -> Self {
        Self::start(window, Some(proxy))
    }

    fn start(window: Window, proxy: Option<u16>) -> Self {
        let driver = Chromedriver::start();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let http = reqwest::Client::builder().timeout(PATIENCE * 2).no_proxy().build();
        let mut browser = Self {
            http: http.expect("a client"),
            runtime: runtime.expect("a runtime"),
            session: format!("http://127.0.0.1:{}/session", driver.port),
            console: Console::default(),
            driver,
        };
        let asked = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "webauthn:virtualAuthenticators": true,
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": PATIENCE.as_millis()},
            "goog:chromeOptions": {
                "binary": browser.driver.chromium,
                "args": arguments(proxy),
            },
        }}});
        let made = browser.send(reqwest::Method::POST, "", Some(&asked));
        let id = made["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{}/{id}", browser.session);
        browser.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": window.width, "height": window.height,
                "deviceScaleFactor": 1, "mobile": false}),
        );
        let scheme = if window.dark { "dark" } else { "light" };
        browser.devtools(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
        browser
    }

    fn answer(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, String> {
        let mut request = self.http.request(method, format!("{}{path}", self.session));
        if let Some(body) = body {
            request = request.json(body);
        }
        let (status, mut body) = self.runtime.block_on(async {
            let response = request.send().await.map_err(|error| error.to_string())?;
            let status = response.status();
            let body: Value = response.json().await.map_err(|error| error.to_string())?;
            Ok::<_, String>((status, body))
        })?;
        let value = body["value"].take();
        if status.is_success() { Ok(value) } else { Err(format!("{path}: {value}")) }
    }

    fn send(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> Value {
        self.answer(method, path, body).unwrap_or_else(|said| panic!("the browser: {said}"))
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Value {
        self.send(reqwest::Method::POST, path, Some(body))
    }

    pub(super) fn try_post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.answer(reqwest::Method::POST, path, Some(body))
    }

    pub(super) fn get(&self, path: &str) -> Value {
        self.send(reqwest::Method::GET, path, None)
    }

    pub(super) fn try_get(&self, path: &str) -> Result<Value, String> {
        self.answer(reqwest::Method::GET, path, None)
    }

    pub(super) fn delete(&self, path: &str) -> Value {
        self.send(reqwest::Method::DELETE, path, None)
    }

    /// A command of Chromium's developer tools.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Goes to a page and waits until it is loaded.
    pub fn goto(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.get("/url").as_str().expect("an address").to_owned()
    }

    /// What a script returns, which reads and changes nothing: `return …`.
    pub fn look(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The first element, if there is one now.
    pub fn find(&self, selector: &str) -> Option<Element<'_>> {
        let asked = json!({"using": "css selector", "value": selector});
        let found = self.try_post("/element", &asked).ok()?;
        Some(Element::new(self, &found))
    }

    /// The element, as soon as it is there and shown.
    pub fn await_shown(&self, selector: &str) -> Element<'_> {
        self.await_that(&format!("{selector} is shown"), || {
            self.find(selector).filter(Element::is_shown)
        })
    }

    /// The element whose text contains `part`, as soon as it does.
    pub fn await_text(&self, selector: &str, part: &str) -> String {
        self.await_that(&format!("{selector} says {part:?}"), || {
            let text = self.find(selector)?.try_text()?;
            text.contains(part).then_some(text)
        })
    }

    /// Waits until the address' path is this.
    pub fn await_path(&self, path: &str) {
        self.await_that(&format!("the page is {path}"), || {
            let url = self.url();
            let rest = url.splitn(4, '/').nth(3).unwrap_or_default();
            (format!("/{rest}") == path).then_some(())
        });
    }

    fn await_that<T>(&self, what: &str, ask: impl Fn() -> Option<T>) -> T {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(found) = ask() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        let page = self.look("return document.body ? document.body.innerText : ''");
        let console = self.console.read(self);
        panic!("not within {PATIENCE:?}: {what}, at {}\n{page}\n{console:#?}", self.url());
    }

    /// Forgets every cookie: nobody is signed in any more.
    pub fn forget_cookies(&self) {
        self.delete("/cookie");
    }

    /// A picture of the whole page, for people. PNG.
    pub fn picture(&self) -> Vec<u8> {
        use base64::Engine as _;
        let asked = json!({"format": "png", "captureBeyondViewport": true});
        let taken = self.devtools("Page.captureScreenshot", &asked);
        let text = taken["data"].as_str().expect("a picture");
        base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
    }

    /// Ends it. A panic with what it complained of: violations of the content security policy,
    /// scripts that failed, answers that were errors. `expected` are parts of complaints that the
    /// test caused on purpose; each must have come.
    pub fn close(self, expected: &[&str]) {
        self.console.judge(&self, expected);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends Chromium; without an answer it ends when the driver does.
        let _ = self.answer(reqwest::Method::DELETE, "", None);
    }
}

fn arguments(proxy: Option<u16>) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "--headless=new",
        // Tests run as root in containers, where its own sandbox can't be made.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-extensions",
        // It ends when its driver does, however that happens.
        "--remote-debugging-pipe",
    ]
    .map(str::to_owned)
    .to_vec();
    if let Some(port) = proxy {
        arguments.push(format!("--proxy-server=127.0.0.1:{port}"));
        arguments.push("--proxy-bypass-list=<-loopback>".to_owned());
    }
    arguments
}
