#!/usr/bin/env python3
"""Checks an exported Strongroom log with nothing but Python:
check_log.py EXPORT [EXPECTED-HEAD] [--checkpoint FILE]. EXPORT is a file, or a folder with a manifest.

Line 2k-1 is entry k, line 2k its payload. Prints "ok <entries> <head> <tree root>"; compare them with
what you got from somebody else: a log that was rewritten from the start is consistent, too. Of a
checkpoint only the log's name, size and root are compared; whose signatures it has is for another program."""
import base64, hashlib, json, os, sys

sha = lambda data: hashlib.sha256(data).digest()
args = sys.argv[1:]
seen = open(args.pop(args.index("--checkpoint") + 1)).read().split("\n") if "--checkpoint" in args else None
args = [a for a in args if a != "--checkpoint"]
args or sys.exit(__doc__)
files, folder = [{"file": args[0], "sha256": None}], None
if os.path.isdir(args[0]):
    folder = json.load(open(os.path.join(args[0], "manifest.json")))
    files = [{**s, "file": os.path.join(args[0], os.path.basename(s["file"]))} for s in folder["segments"]]
head, sequences, peaks, k, origin = "0" * 64, {}, [], 0, "no log"

def root(hashes):  # RFC 6962: the peaks of the tree, folded from the right
    tree = sha(b"") if not hashes else hashes[-1]
    for left in reversed(hashes[:-1]):
        tree = sha(b"\1" + left + tree)
    return tree

for part in files:
    whole = hashlib.sha256()
    with open(part["file"], "rb") as lines:
        for entry in lines:
            k, payload = k + 1, next(lines, b"")
            whole.update(entry + payload)
            entry, payload = entry.removesuffix(b"\n"), payload.removesuffix(b"\n")
            try:
                e = json.loads(entry)
            except ValueError:
                sys.exit(f"entry {k}: not JSON")
            for ok, what in (
                (json.dumps(e, separators=(",", ":")).encode() == entry, "not canonical JSON"),
                (e["position"] == k, f"position is {e['position']}: missing, added or out of order"),
                (e["prev"] == head, "prev is not the leaf before: that entry was altered or replaced"),
                (e["payload_sha256"] == sha(payload).hex(), "payload was altered"),
                (e["sequence"] == sequences.get(e["stream"], 0) + 1, f"{e['stream']} skips a sequence"),
            ):
                ok or sys.exit(f"entry {k}: {what}")
            if e["type"] in ("charter.founded", "charter.log-resumed"):  # both name the log
                e = {**e, **json.loads(payload)}
                log = e.get("charter", {}).get("log", "?") if k == 1 else origin.split("/")[1]
                origin = f"strongroom/{log}" + (f"/{e['resumption']['number']}" if k > 1 else "")
            leaf = sha(b"\0" + entry)
            sequences[e["stream"]], head = e["sequence"], leaf.hex()
            for _ in range(((k - 1) ^ k).bit_length() - 1):  # one merge for each bit that carries
                leaf = sha(b"\1" + peaks.pop() + leaf)
            peaks.append(leaf)
            if seen and seen[0].split("/")[:2] != origin.split("/")[:2]:
                sys.exit(f"the checkpoint is of {seen[0]}, this is {origin}: it says nothing of this log")
            if seen and k == int(seen[1]) and root(peaks) != base64.b64decode(seen[2]):
                sys.exit(f"the tree of {k} entries is not the checkpoint's: another history" if seen[0] == origin
                         else f"the checkpoint is of {seen[0]}, this is {origin}: what it saw was given up, or here")
    if part["sha256"] not in (None, whole.hexdigest()):
        sys.exit(f"{part['file']} is not the file that the manifest names")
k or sys.exit("the file is empty: a log has at least its charter")
if seen and k < int(seen[1]) and seen[0] != origin:
    sys.exit(f"the log ends at {k} as {origin}, the checkpoint is {seen[1]} entries of {seen[0]}")
if seen and k < int(seen[1]):
    sys.exit(f"the log ends at {k}, the checkpoint at {seen[1]}: it was cut or rolled back")
if len(args) > 1 and head != args[1]:
    sys.exit(f"the log ends at {k} {head}, not at {args[1]}")
if folder and [folder[f] for f in ("last", "head", "origin")] + [folder["tree"]["root"]] != [k, head, origin, root(peaks).hex()]:
    sys.exit("the manifest says something else than its segments")
print("ok", k, head, root(peaks).hex())
