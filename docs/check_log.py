#!/usr/bin/env python3
"""Checks an exported Strongroom log with nothing but Python: check_log.py EXPORT [EXPECTED-HEAD].

Line 2k-1 is entry k, line 2k its payload. Prints "ok <entries> <head>"; compare the head with one
that you got from somebody else: a log that was rewritten from the start is consistent, too."""
import hashlib, json, sys

head, sequences, lines, k = "0" * 64, {}, open(sys.argv[1], "rb"), 0
for k, entry in enumerate(lines, 1):
    entry, payload = entry.removesuffix(b"\n"), next(lines, b"").removesuffix(b"\n")
    try:
        e = json.loads(entry)
    except ValueError:
        sys.exit(f"entry {k}: not JSON")
    for ok, what in (
        (json.dumps(e, separators=(",", ":")).encode() == entry, "not canonical JSON"),
        (e["position"] == k, f"position is {e['position']}: missing, added or out of order"),
        (e["prev"] == head, "prev is not the leaf before: that entry was altered or replaced"),
        (e["payload_sha256"] == hashlib.sha256(payload).hexdigest(), "payload was altered"),
        (e["sequence"] == sequences.get(e["stream"], 0) + 1, f"{e['stream']} skips a sequence"),
    ):
        ok or sys.exit(f"entry {k}: {what}")
    sequences[e["stream"]], head = e["sequence"], hashlib.sha256(b"\0" + entry).hexdigest()
k or sys.exit("the file is empty: a log has at least its charter")
if len(sys.argv) > 2 and head != sys.argv[2]:
    sys.exit(f"the log ends at {k} {head}, not at {sys.argv[2]}")
print("ok", k, head)
