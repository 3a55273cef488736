#!/usr/bin/env python3
"""Makes the golden proofs over log.jsonl, from the C2SP specifications and RFC 6962 alone.

Not run by any test: it needs the package `cryptography` (48 or newer), whose ML-DSA-44 signatures
are random, so every run makes other files. It is here to show how they came about."""
import base64, hashlib, pathlib, struct
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

here = pathlib.Path(__file__).parent
b64 = lambda data: base64.b64encode(data).decode()
sha = lambda data: hashlib.sha256(data).digest()
ORIGIN = "strongroom/01936b0a-7c00-7000-8000-0000000000ff"
TIME = 1795367890


def mth(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1" + mth(leaves[:k]) + mth(leaves[k:]))


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return path(m, leaves[:k]) + [mth(leaves[k:])] if m < k else path(m - k, leaves[k:]) + [mth(leaves[:k])]


def subproof(m, leaves, whole):
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m <= k:
        return subproof(m, leaves[:k], whole) + [mth(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [mth(leaves[:k])]


class Key:
    def __init__(self, name, kind, seed):
        self.name, self.kind = name, kind
        make = MLDSA44PrivateKey.from_seed_bytes if kind == 6 else Ed25519PrivateKey.from_private_bytes
        self.key = make(bytes([seed]) * 32)
        self.public = bytes([kind]) + self.key.public_key().public_bytes_raw()
        self.id = sha(name.encode() + b"\n" + self.public)[:4]

    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{b64(self.public)}"

    def line(self, text, size, root):
        time = struct.pack(">Q", TIME)
        if self.kind == 1:
            signature = self.key.sign(text.encode())
        elif self.kind == 4:
            signature = time + self.key.sign(f"cosignature/v1\ntime {TIME}\n{text}".encode())
        else:
            name, origin = self.name.encode(), ORIGIN.encode()
            message = b"subtree/v1\n\0" + bytes([len(name)]) + name + time + bytes([len(origin)]) + origin
            signature = time + self.key.sign(message + struct.pack(">QQ", 0, size) + root)
        return f"\N{EM DASH} {self.name} {b64(self.id + signature)}\n"


lines = (here / "log.jsonl").read_bytes().splitlines()
entries, payloads = lines[::2], lines[1::2]
leaves = [sha(b"\0" + entry) for entry in entries]
size, root = len(leaves), mth(leaves)
log = [Key(ORIGIN, 1, 1), Key(ORIGIN, 6, 2)]
signer = f"{ORIGIN}/signer/01936b0a-7c00-7000-8000-00000000000"
witnesses = [Key(signer + "1", 4, 3), Key(signer + "2", 4, 4), Key("witness.example/w1", 6, 5)]
text = f"{ORIGIN}\n{size}\n{b64(root)}\n"
signed = text + "\n" + "".join(key.line(text, size, root) for key in log)
counting = signed + "".join(key.line(text, size, root) for key in witnesses[1:])
hashes = lambda proof: "".join(b64(hash) + "\n" for hash in proof)
index = 2
extra = entries[index] + b"\n" + payloads[index] + b"\n"
policy = "".join(f"log {key.vkey()}\n" for key in log)
policy += "".join(f"witness w{n} {key.vkey()}\n" for n, key in enumerate(witnesses, 1))
policy += "group witnesses 2 w1 w2 w3\nquorum witnesses\n"
for name, content in {
    "checkpoint.txt": counting,
    "policy.txt": policy,
    "add-checkpoint.txt": f"old 3\n{hashes(subproof(3, leaves, True))}\n{signed}",
    "receipt.tlog-proof": f"c2sp.org/tlog-proof@v1\nextra {b64(extra)}\nindex {index}\n"
    f"{hashes(path(index, leaves))}\n{counting}",
}.items():
    (here / name).write_text(content)
