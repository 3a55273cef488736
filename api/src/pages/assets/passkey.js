// Passkeys: the few lines between what the browser gives and what the server takes.
// Never sees a private key: the authenticator has it.

const hex = (bytes) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

const bytes = (text) =>
  new Uint8Array((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));

export function explain(error) {
  switch (error?.name) {
    case "NotAllowedError":
      return "The passkey was not used: it took too long, it was dismissed, or this device has none for this site.";
    case "InvalidStateError":
      return "This device has a passkey for this already.";
    case "SecurityError":
      return "This page's address is not one that passkeys work for.";
    default:
      return error?.message ?? String(error);
  }
}

const told = (credential, response) => {
  const { id, rawId, type, clientExtensionResults: extensions } = credential;
  return { id, rawId, type, extensions, response };
};

/// Makes a passkey to sign in with, by the server's options.
export async function make(options) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey);
  const made = (await navigator.credentials.create({ publicKey })).toJSON();
  const { attestationObject, clientDataJSON } = made.response;
  return told(made, { attestationObject, clientDataJSON });
}

/// Uses a passkey to sign in, by the server's options.
export async function prove(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
  const got = (await navigator.credentials.get({ publicKey })).toJSON();
  const { authenticatorData, clientDataJSON, signature, userHandle } = got.response;
  return told(got, { authenticatorData, clientDataJSON, signature, userHandle });
}

/// The word of one of `keys` for a challenge: the key, and the evidence that the log keeps. Each of
/// them has `key`, `credential` (both hex) and `rp_id`.
export async function word(challenge, keys) {
  const got = await navigator.credentials.get({
    publicKey: {
      challenge,
      rpId: keys[0].rp_id,
      allowCredentials: keys.map((key) => ({ type: "public-key", id: bytes(key.credential) })),
      userVerification: "required",
      timeout: 300000,
    },
  });
  const used = keys.find((key) => key.credential === hex(got.rawId));
  if (!used) throw new Error("The device answered with a passkey that nobody asked for.");
  const { authenticatorData, clientDataJSON, signature } = got.response;
  const assertion = {
    authenticator_data: hex(authenticatorData),
    client_data: hex(clientDataJSON),
    signature: hex(signature),
  };
  return { key: used.key, evidence: { assertion } };
}

/// Makes a passkey to approve with, as the charter has it. It is none to sign in with: a user id of
/// its own keeps it from taking the other's place on the device.
export async function makeApprovalKey(name, existing) {
  const made = await navigator.credentials.create({
    publicKey: {
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      rp: { id: location.hostname, name: "Strongroom" },
      user: { id: crypto.getRandomValues(new Uint8Array(32)), name, displayName: name },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }],
      authenticatorSelection: { residentKey: "discouraged", userVerification: "required" },
      excludeCredentials: existing.map((key) => ({ type: "public-key", id: bytes(key.credential) })),
      attestation: "none",
      timeout: 300000,
    },
  });
  if (made.response.getPublicKeyAlgorithm() !== -7) throw new Error("The device made no P-256 key: use another one.");
  // SubjectPublicKeyInfo (RFC 5480) of P-256: its last 64 bytes are x and y. SEC 1 §2.3.3 keeps x
  // and whether y is odd.
  const point = new Uint8Array(made.response.getPublicKey()).slice(-64);
  return {
    webauthn: {
      key: `0${2 + (point[63] & 1)}${hex(point.slice(0, 32))}`,
      credential: hex(made.rawId),
      rp_id: location.hostname,
      origin: location.origin,
    },
  };
}
