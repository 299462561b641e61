// Passkeys (Web Authentication Level 3): asks the browser for one, to sign in with or to add.

import { addressOf, errorOf, messageOf } from "./api.js";
import { text } from "./texts.js";

const isSupported = typeof PublicKeyCredential === "function" && "parseCreationOptionsFromJSON" in PublicKeyCredential;

/** What an error says to people; browsers name theirs. @param {unknown} error */
function wordsOf(error) {
  if (!(error instanceof DOMException)) return messageOf(error);
  if (error.name === "InvalidStateError") return text("passkey_known");
  if (error.name === "SecurityError") return text("passkey_elsewhere");
  return text("passkey_refused");
}

/** The JSON that a route answers; throws its error. @param {string} path @param {object} body */
async function send(path, body) {
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(addressOf(path), request);
  if (!response.ok) throw await errorOf(response);
  return response.json();
}

/** @param {Credential | null} credential */
function asJson(credential) {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException("none", "NotAllowedError");
  return credential.toJSON();
}

/** @param {FormData} fields */
async function signIn(fields) {
  const { token, options } = await send("sign-in/passkey/options", {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = asJson(await navigator.credentials.get({ publicKey }));
  const { next } = await send("sign-in/passkey", { token, credential, next: fields.get("next") });
  location.assign(addressOf(next));
}

/** @param {FormData} fields */
async function register(fields) {
  const { token, options } = await send("account/passkeys/options", { password: fields.get("password") ?? "" });
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = asJson(await navigator.credentials.create({ publicKey }));
  await send("account/passkeys", { token, credential, name: fields.get("name") });
  location.assign(addressOf("account"));
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!(form instanceof HTMLFormElement) || !isSupported) continue;
  const alert = /** @type {HTMLElement} */ (form.querySelector("[role=alert]"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    alert.hidden = button.disabled = true;
    try {
      await (form.dataset.passkey === "register" ? register : signIn)(new FormData(form));
    } catch (error) {
      alert.textContent = wordsOf(error);
      alert.hidden = false;
    }
    button.disabled = false;
  });
}
