// The script of every page: what its forms do. It carries words between a person, their passkey and
// the server; it decides nothing, and it signs only the text that the page shows.

import { explain, make, makeApprovalKey, prove, word } from "./passkey.js";
import { Refused, act, ask, record } from "./server.js";
import { checked } from "./statement.js";

const $ = (selector) => document.querySelector(selector);
const $$ = (selector) => Array.from(document.querySelectorAll(selector));

/// Says how it went, to eyes and to screen readers.
function say(text, kind = "") {
  const result = $("#result");
  result.className = kind;
  result.textContent = text;
  if (text) result.scrollIntoView({ block: "nearest" });
}

/// What a form does. One thing at a time: a second press while it is under way does nothing.
function on(form, words, work) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    say(words);
    try {
      await work(Object.fromEntries(new FormData(form, event.submitter)));
    } catch (error) {
      say(explain(error), "bad");
    } finally {
      form.ariaBusy = null;
    }
  });
}

/// Asks for the code of an authenticator app; null where it is not given.
function askCode() {
  const [dialog, form, label, input, acts, button] = ["dialog", "form", "label", "input", "div", "button"].map((tag) => document.createElement(tag));
  label.textContent = "The code of your authenticator app";
  label.htmlFor = input.id = "step-up-code";
  Object.assign(input, { inputMode: "numeric", autocomplete: "one-time-code", pattern: "[0-9]{6}", required: true });
  button.textContent = "Go on";
  form.method = "dialog";
  acts.className = "acts";
  acts.append(button);
  form.append(label, input, acts);
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((done) => {
    form.addEventListener("submit", () => done(input.value));
    dialog.addEventListener("cancel", () => done(null));
    dialog.addEventListener("close", () => dialog.remove());
  });
}

/// Does what needs a fresh proof of who is there; asks for the proof where the server says so.
async function surely(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refused) || error.type !== "/problems/step-up-needed") throw error;
  }
  const { ceremony, passkey } = await act("POST", "/api/v1/session/step-up");
  let proof;
  if (passkey) {
    say("Show that it is you: waiting for your passkey …");
    proof = { ceremony, credential: await prove(passkey) };
  } else {
    const code = await askCode();
    if (code === null) throw new Error("Nothing was done: this needs a fresh proof that it is you.");
    proof = { code };
  }
  await act("POST", "/api/v1/session/step-up/finish", proof);
  return work();
}

function signIn() {
  const go = () => location.assign("/approvals");
  on($("#passkey"), "Waiting for your passkey …", async ({ name }) => {
    const { ceremony, passkey } = await ask("/api/v1/sign-in/passkey", { name });
    const credential = await prove(passkey);
    await ask("/api/v1/sign-in/passkey/finish", { ceremony, credential });
    go();
  });
  on($("#password"), "Signing in …", async ({ name, password, code }) => {
    await ask("/api/v1/sign-in/password", { name, password, code });
    go();
  });
  on($("#recovery"), "Signing in …", async ({ name, recovery_code }) => {
    await ask("/api/v1/sign-in/recovery-code", { name, recovery_code });
    go();
  });
}

function enrol() {
  let ceremony;
  const done = ({ recovery_codes: codes }) => {
    for (const form of $$("form")) form.hidden = true;
    $("#codes").replaceChildren(...codes.map((code) => Object.assign(document.createElement("li"), { textContent: code })));
    $("#recovery").hidden = false;
    say("You are enrolled.", "good");
    $("#on").focus();
  };
  on($("#enrol"), "Waiting for your device …", async ({ invitation, name, way }) => {
    const said = await ask("/api/v1/enrolment", { invitation: invitation.trim(), name, with: way });
    ceremony = said.ceremony;
    if (way === "passkey") {
      const credential = await make(said.passkey);
      done(await ask("/api/v1/enrolment/finish", { ceremony, credential }));
      return;
    }
    $("#totp-secret").textContent = said.totp.secret;
    $("#enrol").hidden = true;
    $("#confirm").hidden = false;
    $("#password").focus();
    say("");
  });
  on($("#confirm"), "Enrolling …", async ({ password, code }) => {
    done(await ask("/api/v1/enrolment/finish", { ceremony, password, code }));
  });
}

function approval() {
  const facts = $$("[data-line]");
  for (const form of $$("form.answer")) {
    const key = crypto.randomUUID();
    on(form, "Waiting for your passkey …", async () => {
      const digest = await checked(form, facts);
      const { answer, proposal, keys } = form.dataset;
      const evidence = await word(digest, JSON.parse(keys));
      const said = await record(`/api/v1/approvals/${proposal}`, { answer, ...evidence }, key);
      for (const button of $$("form.answer button")) button.disabled = true;
      const done = answer === "approve" ? "You approved." : "You declined.";
      const then = said.quorum_reached ? " The quorum is reached." : said.rejected ? " It is rejected." : "";
      say(`${done}${then} It is entry ${said.position} of the log.`, "good");
    });
  }
}

function passkey() {
  const form = $("#new-key");
  on(form, "Waiting for your device …", async ({ label }) => {
    const key = await makeApprovalKey(label, JSON.parse(form.dataset.existing));
    $("#key").replaceChildren(...key.webauthn.key.match(/.{1,4}/g).map((four) => Object.assign(document.createElement("span"), { textContent: four })));
    $("#proposal").textContent = JSON.stringify({ change: { "add-key": { person: form.dataset.person, key } } }, null, 2);
    $("#made").hidden = false;
    say("The key is made. It approves nothing before a quorum has agreed to it.", "good");
  });
}

function queue() {
  for (const form of $$("form.stop")) {
    const key = crypto.randomUUID();
    on(form, "Stopping it …", async ({ because }) => {
      await surely(() => record(`/api/v1/transactions/${form.dataset.transfer}/stop`, { because }, key));
      form.querySelector("button").disabled = true;
      say("It is stopped, and its approvals are burnt.", "good");
    });
  }
  const key = crypto.randomUUID();
  on($("#freeze-all"), "Freezing …", async ({ because }) => {
    await surely(() => record("/api/v1/freezes", { scope: "everything", because }, key));
    $("#freeze-all button").disabled = true;
    say("Everything is frozen.", "good");
  });
}

function left() {
  for (const time of $$("time[data-left]")) {
    const seconds = Math.max(0, Math.floor((Date.parse(time.dateTime) - Date.now()) / 1000));
    const [d, h, m] = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60].map(Math.floor);
    const words = d ? `${d} d ${h} h left` : h ? `${h} h ${m} min left` : m ? `${m} min left` : seconds ? `${seconds} s left` : "time is over";
    if (time.textContent !== words) time.textContent = words;
  }
}

on($("#sign-out"), "Signing out …", async () => {
  await act("DELETE", "/api/v1/session");
  location.assign("/sign-in");
});
({ "sign-in": signIn, enrol, approval, passkey, queue })[document.body.dataset.page]?.();
if ($("time[data-left]")) setInterval(left, 1000);
