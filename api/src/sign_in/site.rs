//! Our own origin: what browsers say they are on, what passkeys are bound to, how the cookie is
//! called. Never the `Host` header: whoever asks chooses that.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderValue, header};
use webauthn_rs::{Webauthn, WebauthnBuilder, prelude::Url};

use crate::{access::SecretId, application::Failure};

/// The header that proves that a request comes from our own pages.
pub const CSRF_HEADER: &str = "x-csrf-token";
/// What the CSRF token is derived for.
const CSRF: &str = "strongroom/csrf/v1";

/// Why there is no such site.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("[sign_in] origin `{origin}`: {reason}")]
pub struct SiteError {
    origin: String,
    reason: String,
}

/// Where people find us.
pub struct Site {
    origin: Url,
    /// As browsers write it: scheme, host, and the port where it is not the scheme's own.
    text: String,
    secure: bool,
    webauthn: Webauthn,
}

impl Site {
    /// The configured origin; without one, `http://localhost` at the port that is listened on.
    pub fn new(origin: Option<&str>, listens: SocketAddr) -> Result<Self, SiteError> {
        let local = format!("http://localhost:{}", listens.port());
        let written = origin.unwrap_or(&local);
        let refuse =
            |reason: &str| SiteError { origin: written.to_owned(), reason: reason.to_owned() };
        let origin: Url = written.parse().map_err(|_| refuse("this is no URL"))?;
        let text = origin.origin().ascii_serialization();
        if text != written {
            return Err(refuse("expected scheme and host alone, like https://custody.example"));
        }
        let host = origin.host_str().ok_or_else(|| refuse("it has no host"))?;
        if host.parse::<IpAddr>().is_ok() || host.starts_with('[') {
            return Err(refuse("passkeys need a name, not an address"));
        }
        let secure = origin.scheme() == "https";
        let local = origin.scheme() == "http" && host == "localhost";
        if !secure && !local {
            return Err(refuse("must be https; http is for localhost alone"));
        }
        let webauthn = WebauthnBuilder::new(host, &origin)
            .map(|builder| builder.rp_name("Strongroom"))
            .and_then(WebauthnBuilder::build)
            .map_err(|error| refuse(&error.to_string()))?;
        Ok(Self { origin, text, secure, webauthn })
    }

    /// Why a server behind TLS that it does not end itself must know who does: one stranger's wrong
    /// guesses would lock out everybody who comes the same way.
    pub(super) fn without_proxies(&self) -> SiteError {
        let reason = "it is https, so a proxy stands in front: name its addresses in [sign_in] \
                      trusted_proxies";
        SiteError { origin: self.text.clone(), reason: reason.to_owned() }
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.text
    }

    /// Host and port, as a request's `@authority`.
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.origin.scheme()
    }

    pub(super) fn webauthn(&self) -> &Webauthn {
        &self.webauthn
    }

    /// `__Host-` binds a cookie to this host over TLS; on loopback there is no TLS.
    pub fn cookie_name(&self) -> &'static str {
        if self.secure { "__Host-strongroom" } else { "strongroom" }
    }

    /// The `Set-Cookie` of a session; of none, one that removes it.
    pub fn cookie(&self, session: Option<&SecretId>) -> String {
        let (value, age) = session.map_or(("", "; Max-Age=0"), |id| (id.expose(), ""));
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}", self.cookie_name())
    }

    /// The session's secret that a request carries. Two cookies of the name are none: one of them
    /// was put there by somebody else.
    pub fn presented(&self, headers: &HeaderMap) -> Option<SecretId> {
        let mut found = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.cookie_name());
        match (found.next(), found.next()) {
            (Some((_, value)), None) => SecretId::read(value),
            _ => None,
        }
    }

    /// Refuses what a browser says comes from another site. Who says nothing is no browser, or a
    /// navigation.
    pub fn demand_not_foreign(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let foreign = Failure::CrossSite("this came from another site than ours");
        let says = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        if says("origin").is_some_and(|origin| origin != self.text.as_bytes()) {
            return Err(foreign);
        }
        match says("sec-fetch-site") {
            None | Some(b"same-origin" | b"none") => Ok(()),
            Some(_) => Err(foreign),
        }
    }

    /// Refuses a cookie's unsafe request that does not show to come from our own pages: it must say
    /// its origin, and have the session's token.
    pub fn demand_own_page(&self, headers: &HeaderMap, session: &SecretId) -> Result<(), Failure> {
        self.demand_not_foreign(headers)?;
        if !headers.contains_key(header::ORIGIN) && !headers.contains_key("sec-fetch-site") {
            return Err(Failure::CrossSite("say your Origin: a cookie alone proves nothing"));
        }
        let right = csrf_token(session);
        let given = headers.get(CSRF_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
        if subtle::ConstantTimeEq::ct_eq(given, right.as_bytes()).into() {
            return Ok(());
        }
        Err(Failure::CrossSite("send the session's `csrf` as X-CSRF-Token"))
    }
}

/// What the session's own pages send with each unsafe request.
pub fn csrf_token(session: &SecretId) -> String {
    hex::encode(session.derived(CSRF))
}

#[cfg(test)]
mod tests {
    use super::{CSRF_HEADER, HeaderMap, SecretId, Site, csrf_token, header};

    fn site(origin: Option<&str>) -> Result<Site, String> {
        Site::new(origin, "127.0.0.1:3008".parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_origin_is_https_or_localhost_and_nothing_more() {
        assert_eq!(site(None).unwrap().origin(), "http://localhost:3008");
        let site_of = |origin| site(Some(origin));
        let custody = site_of("https://custody.example").unwrap();
        assert_eq!(
            (custody.authority(), custody.cookie_name()),
            ("custody.example", "__Host-strongroom")
        );
        for wrong in [
            "http://custody.example",
            "https://custody.example/",
            "https://10.0.0.1",
            "ftp://localhost",
            "https://user@custody.example",
            "custody.example",
            "https://custody.example:443",
        ] {
            assert!(site_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_cookie_is_read_only_where_there_is_one_of_its_name() {
        let site = site(None).unwrap();
        let id = SecretId::generate();
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, format!("a=b; strongroom={}", id.expose()).parse().unwrap());
        assert_eq!(site.presented(&headers).unwrap().hash(), id.hash());
        headers.append(header::COOKIE, format!("strongroom={}", "0".repeat(64)).parse().unwrap());
        assert!(site.presented(&headers).is_none());
    }

    #[test]
    fn only_our_own_pages_use_a_cookie_to_change_something() {
        let site = site(None).unwrap();
        let id = SecretId::generate();
        let csrf = csrf_token(&id);
        let own = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            site.demand_own_page(&headers, &id).is_ok()
        };
        let origin = ("origin", "http://localhost:3008");
        assert!(own(&[origin, (CSRF_HEADER, &csrf)]));
        assert!(own(&[("sec-fetch-site", "same-origin"), (CSRF_HEADER, &csrf)]));
        let of_another = csrf_token(&SecretId::generate());
        for refused in [
            &[origin][..],
            &[(CSRF_HEADER, csrf.as_str())],
            &[origin, (CSRF_HEADER, of_another.as_str())],
            &[("origin", "https://evil.example"), (CSRF_HEADER, csrf.as_str())],
            &[("origin", "null"), (CSRF_HEADER, csrf.as_str())],
            &[origin, ("sec-fetch-site", "cross-site"), (CSRF_HEADER, csrf.as_str())],
            &[origin, ("sec-fetch-site", "same-site"), (CSRF_HEADER, csrf.as_str())],
        ] {
            assert!(!own(refused), "{refused:?}");
        }
    }
}
