// What makes sure that a person signs what the page shows. Never signs anything itself.

const squeezed = (text) => text.replace(/\s+/g, "");

/// The SHA-256 of the text that `box` shows, if all of the page agrees with it; an Error otherwise.
/// `box` holds `pre` and says in its data attributes what the server holds the text to be.
export async function checked(box, facts) {
  const shown = box.querySelector("pre");
  const text = shown.textContent;
  const { sha256, answer, approver, proposal } = box.dataset;
  if (!shown.checkVisibility()) throw new Error("The text is not shown: nothing was signed.");
  if (!/^[\n -~]+$/.test(text)) {
    throw new Error("The text holds signs that cannot be shown as they are: nothing was signed.");
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const own = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const refuse = (why) => {
    throw new Error(`Nothing was signed: ${why}. Do not go on. Tell your security officer, and use another device.`);
  };
  if (own !== sha256) refuse("the text on this page is not the one that the server asks you to sign");
  const lines = text.split("\n");
  const opening = new RegExp(`^Strongroom approval statement, version [0-9]+\n\nI, approver ${approver},\n${answer.toUpperCase()} the following\\.\n`);
  if (!opening.test(text)) refuse("the text does not begin as your statement with this answer");
  const named = lines.filter((line) => line.startsWith("Proposal:"));
  if (named.length !== 1 || named[0].slice(9).trim() !== proposal || !location.pathname.endsWith(`/${proposal}`)) {
    refuse("the text is about another question");
  }
  // Each fact above the text is one of its lines.
  for (const fact of facts) {
    const line = lines[Number(fact.dataset.line)] ?? "";
    if (squeezed(fact.textContent) !== squeezed(line.slice(Number(fact.dataset.from)))) {
      refuse("what stands above the text is not what the text says");
    }
  }
  return digest;
}
