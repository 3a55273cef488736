//! The signature base of RFC 9421 section 2.5: what is signed, from a request as it came. Never a
//! component with parameters: each of them would be a second way to say the same.

use axum::http::{HeaderMap, HeaderName, Method, Uri};
use sfv::{BareItem, FieldType as _, InnerList, ListEntry};

/// A request, as far as a signature may cover it. Scheme and authority are the server's own
/// configured ones: the `Host` header is whatever the caller, or a proxy, wrote.
pub struct Parts<'a> {
    /// The method.
    pub method: &'a Method,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// Host, and port where it is not the scheme's own.
    pub authority: &'a str,
    /// The path and query.
    pub uri: &'a Uri,
    /// The fields.
    pub headers: &'a HeaderMap,
}

/// The components' names in their order; refuses one that comes twice, or with parameters.
pub(super) fn components(input: &InnerList) -> Result<Vec<&str>, &'static str> {
    let mut names = Vec::new();
    for item in &input.items {
        let BareItem::String(name) = &item.bare_item else {
            return Err("a covered component is not a string");
        };
        if !item.params.is_empty() {
            return Err("no covered component may have parameters");
        }
        if names.contains(&name.as_str()) {
            return Err("a component is covered twice");
        }
        names.push(name.as_str());
    }
    Ok(names)
}

/// What is signed.
pub fn signature_base(input: &InnerList, request: &Parts<'_>) -> Result<String, &'static str> {
    let mut base = String::new();
    for name in components(input)? {
        base.push('"');
        base.push_str(name);
        base.push_str("\": ");
        base.push_str(&value(name, request)?);
        base.push('\n');
    }
    let params = vec![ListEntry::InnerList(input.clone())];
    let params = params.serialize().ok_or("there are no signature parameters")?;
    base.push_str("\"@signature-params\": ");
    base.push_str(&params);
    Ok(base)
}

fn value(name: &str, request: &Parts<'_>) -> Result<String, &'static str> {
    let path = match request.uri.path() {
        "" => "/",
        path => path,
    };
    let query = request.uri.query().map(|query| format!("?{query}"));
    let authority = || request.authority.to_ascii_lowercase();
    let target = || format!("{path}{}", query.clone().unwrap_or_default());
    Ok(match name {
        "@method" => request.method.as_str().to_owned(),
        "@target-uri" => format!("{}://{}{}", request.scheme, authority(), target()),
        "@scheme" => request.scheme.to_owned(),
        "@authority" => authority(),
        "@request-target" => target(),
        "@path" => path.to_owned(),
        // An absent query is signed as an empty one (section 2.2.7).
        "@query" => query.unwrap_or_else(|| "?".to_owned()),
        field => return field_value(field, request.headers),
    })
}

/// A field's values, trimmed and in their order (section 2.1).
fn field_value(field: &str, headers: &HeaderMap) -> Result<String, &'static str> {
    const UNREADABLE: &str = "a covered component is no field in lower case and no known `@` name";
    if field.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(UNREADABLE);
    }
    let field: HeaderName = field.parse().map_err(|_| UNREADABLE)?;
    let values = headers.get_all(&field).iter().map(|value| value.to_str().map(str::trim));
    let values: Vec<_> =
        values.collect::<Result<_, _>>().map_err(|_| "a covered field is not text")?;
    if values.is_empty() {
        return Err("a covered field is not there");
    }
    Ok(values.join(", "))
}
