#!/usr/bin/env python3
"""Checks a Strongroom receipt: check_receipt.py RECEIPT POLICY.

RECEIPT is a C2SP tlog-proof, POLICY a C2SP tlog-policy that you got from somebody you trust. Written
from the specifications, shares no code with Strongroom; needs the package `cryptography` (48 or newer).
Prints the position, the tree's size, who cosigned when, and then the entry and its payload."""
import base64, hashlib, json, struct, sys, time
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

sha = lambda data: hashlib.sha256(data).digest()
b64 = lambda text: base64.b64decode(text, validate=True)


def vkey(text):
    name, key_id, key = text.split("+", 2)
    key = b64(key)
    key_id == sha(name.encode() + b"\n" + key)[:4].hex() or sys.exit(f"{name}: a wrong key id")
    return name, bytes.fromhex(key_id), key[0], key[1:]


def signed(key, text, lines):
    """The time of the newest signature by `key`, None without one; a false one ends the program."""
    name, key_id, kind, public = key
    newest, (origin, size, root) = None, text.split("\n")[:3]
    for signature in [blob[4:] for n, blob in lines if (n, blob[:4]) == (name, key_id)]:
        at = 0 if kind == 1 else struct.unpack(">Q", signature[:8])[0]
        try:
            if kind == 1:
                Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
            elif kind == 4:
                message = f"cosignature/v1\ntime {at}\n{text}".encode()
                Ed25519PublicKey.from_public_bytes(public).verify(signature[8:], message)
            else:
                n, o = name.encode(), origin.encode()
                message = b"subtree/v1\n\0" + bytes([len(n)]) + n + signature[:8] + bytes([len(o)]) + o
                message += struct.pack(">QQ", 0, int(size)) + b64(root)
                MLDSA44PublicKey.from_public_bytes(public).verify(signature[8:], message)
        except InvalidSignature:
            sys.exit(f"a signature of {name} is false")
        newest = max(newest or 0, at)
    return newest


receipt = open(sys.argv[1], newline="").read()
proof, text, lines = receipt.split("\n\n")
header, extra, index, *path = proof.split("\n")
header == "c2sp.org/tlog-proof@v1" and extra[:6] == "extra " and index[:6] == "index " or sys.exit("no receipt")
entry, payload, end = b64(extra[6:]).split(b"\n")
index, text = int(index[6:]), text + "\n"
origin, size, root, end = text.split("\n")  # no extension lines
lines = [line.split(" ")[1:] for line in lines.removesuffix("\n").split("\n")]
lines = [(name, b64(signature)) for name, signature in lines]

logs, held, quorum = [], {}, None
for line in open(sys.argv[2]):
    kind, *words = line.split() or ["#"]
    if kind == "log":
        logs += [key for key in [vkey(words[0])] if key[0] == origin]
    elif kind == "witness":
        key = vkey(words[1])
        at = signed(key, text, lines)
        at and print(f"cosigned by {key[0]} at {time.strftime('%F %T', time.gmtime(at))} UTC")
        held[words[0]] = bool(at)
    elif kind == "group":
        needed = {"any": 1, "all": len(words) - 2}.get(words[1]) or int(words[1])
        held[words[0]] = sum(held[name] for name in words[2:]) >= needed
    elif kind == "quorum":
        quorum = held.get(words[0])  # "none" is nobody's name: nothing counts
    elif kind[0] != "#":
        sys.exit(f"the policy has a line that begins with {kind}")
sorted(key[2] for key in logs) == [1, 6] or sys.exit(f"the policy does not name both keys of {origin}")
ed25519, ml_dsa = (signed(key, text, lines) for key in sorted(logs, key=lambda key: key[2]))
ed25519 is not None and ml_dsa or sys.exit("the log's two keys did not both sign")
quorum or sys.exit("too few witnesses of the policy cosigned")

# RFC 9162 section 2.1.3.2.
node, at, last = sha(b"\0" + entry), index, int(size) - 1
0 <= at <= last or sys.exit("the entry is beyond the tree")
for sibling in map(b64, path):
    last or sys.exit("the inclusion proof is too long")
    if at & 1 or at == last:
        node = sha(b"\1" + sibling + node)
        while at and not at & 1:
            at, last = at >> 1, last >> 1
    else:
        node = sha(b"\1" + node + sibling)
    at, last = at >> 1, last >> 1
last == 0 and node == b64(root) or sys.exit("the entry is not in the tree")

fields = json.loads(entry)
fields["position"] == index + 1 or sys.exit("the entry has another position")
fields["payload_sha256"] == hashlib.sha256(payload).hexdigest() or sys.exit("the payload was altered")
print(f"ok: entry {index + 1} of {size} in {origin}\n{entry.decode()}\n{payload.decode()}")
