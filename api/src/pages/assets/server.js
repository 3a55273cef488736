// Requests to the server. Never to another one, and never without the session's CSRF token where
// something changes.

/// What the server refused, in its own words (RFC 9457).
export class Refused extends Error {
  constructor(status, body) {
    super(body?.detail ?? `The server answered ${status}.`);
    this.status = status;
    this.rule = body?.rule ?? "";
    this.type = body?.type ?? "";
  }
}

async function send(method, path, body, headers = {}) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
  });
  const text = await answer.text();
  let said = null;
  try {
    said = JSON.parse(text);
  } catch {
    // Not JSON: its status says enough.
  }
  if (!answer.ok) throw new Refused(answer.status, said);
  return said;
}

/// Before there is a session.
export const ask = (path, body) => send("POST", path, body);

/// The session, and the token that its requests need.
export const session = () => send("GET", "/api/v1/session");

/// With the session.
export async function act(method, path, body, headers = {}) {
  const { csrf } = await session();
  return send(method, path, body, { ...headers, "X-CSRF-Token": csrf });
}

/// What is kept in the log. `key` makes a repeat of the same press harmless.
export const record = (path, body, key) => act("POST", path, body, { "Idempotency-Key": key });
