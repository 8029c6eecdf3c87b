// @ts-check
// What pages cannot do by themselves: passkeys, renewal as things change, and keys. Everything else works without it. No text becomes HTML
// here: pages come as documents, words as text (Trusted Types hold us to it).

/** @typedef {HTMLFormElement & {busy?: boolean}} Form */

const base64 = {
  /** @param {ArrayBuffer} bytes */
  of: bytes => btoa(Array.from(new Uint8Array(bytes), byte => String.fromCharCode(byte)).join("")),
  /** @param {string} text In the alphabet of URLs (RFC 4648, 5). */
  bytes: text => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), letter => letter.charCodeAt(0)),
};

/** @param {string} words */
const say = words => {
  const said = document.getElementById("said");
  if (said) said.textContent = words;
};

/** @param {string} path @param {unknown} body */
const send = (path, body) =>
  fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** @param {string} path @param {unknown} body */
const ask = async (path, body) => {
  const answer = await send(path, body);
  if (!answer.ok) throw await failure(answer);
  return answer.json();
};

/** @param {Response} answer */
const failure = async answer => {
  const told = await answer.json().catch(() => null);
  return new Error(told?.message ?? `The home answered with ${answer.status}. Try again, or look at it on the machine: bailey status`);
};

/** Gets a document, without a sink that takes text. @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<Document>} */
const page = (method, path, body) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open(method, path);
  request.responseType = "document";
  request.setRequestHeader("accept", "text/html");
  if (body !== undefined) request.setRequestHeader("content-type", "application/json");
  request.onload = () => request.response ? resolve(request.response) : reject(new Error("The home did not answer with a page. Load it anew."));
  request.onerror = () => reject(new Error("The home cannot be reached. Its page stays as it was."));
  request.send(body === undefined ? null : JSON.stringify(body));
});

// --- Renewal ---

/** Tells whether the person is in the middle of something there. @param {Element} part */
const busy = part =>
  part.contains(document.activeElement) || part.querySelector("form[data-touched]") !== null
  || (getSelection()?.isCollapsed === false && part.contains(getSelection()?.anchorNode ?? null));

/** @param {Element} old @param {Element} fresh */
const keepOpen = (old, fresh) => {
  for (const one of old.querySelectorAll("details[open][id]")) fresh.querySelector(`#${CSS.escape(one.id)}`)?.setAttribute("open", "");
};

/** Takes over what is another than before; goes into parts where the person is busy. @param {HTMLElement} old @param {HTMLElement} fresh */
const renew = (old, fresh) => {
  if (old.dataset.v === fresh.dataset.v) return;
  if (!busy(old)) {
    keepOpen(old, fresh);
    old.replaceWith(document.adoptNode(fresh));
    return;
  }
  const within = [...fresh.querySelectorAll("[data-v]")].filter(part => part.parentElement?.closest("[data-v]") === fresh);
  const known = new Set(within.map(part => part.id));
  for (const part of old.querySelectorAll("[data-v]")) {
    if (part.parentElement?.closest("[data-v]") !== old || known.has(part.id)) continue;
    if (busy(part)) part.setAttribute("data-gone", ""); else part.remove();
  }
  for (const part of within) {
    const before = document.getElementById(part.id);
    if (before) renew(before, /** @type {HTMLElement} */ (part));
    else old.append(document.adoptNode(part));
  }
};

/** @param {Document} fresh */
const takeOver = fresh => {
  for (const id of ["top", "band", "page"]) {
    const [old, other] = [document.getElementById(id), fresh.getElementById(id)];
    if (old && other) renew(old, other);
  }
  document.title = fresh.title;
  ready();
};

let renewing = false;
let again = false;
const refresh = async () => {
  if (renewing) { again = true; return; }
  renewing = true;
  try { takeOver(await page("GET", location.href)); } catch { /* The stream tells when it is back. */ }
  renewing = false;
  if (again) { again = false; refresh(); }
};

/** @type {EventSource | null} */
let stream = null;
const follow = () => {
  const from = document.body.dataset.events;
  if (document.visibilityState !== "visible" || !from) { stream?.close(); stream = null; return; }
  if (stream) return;
  let first = true;
  stream = new EventSource(from);
  // The first tells how it is, which the page knows, unless it was away.
  stream.addEventListener("change", () => { if (!first || away) refresh(); first = away = false; });
  stream.addEventListener("task", () => { if (!first || away) refresh(); first = away = false; });
  stream.addEventListener("words", event => words(JSON.parse(event.data)));
};
let away = false;
document.addEventListener("visibilitychange", () => { if (document.visibilityState !== "visible") away = true; follow(); });

/** @type {{request: number, attempt: number} | null} */
let coming = null;
/** @param {{request: number, attempt: number, text: string}} piece */
const words = piece => {
  const place = document.querySelector("[data-words]");
  if (!place) return;
  if (coming?.request !== piece.request || coming.attempt !== piece.attempt) place.textContent = "";
  coming = piece;
  place.append(piece.text);
};

// --- Passkeys ---

/** Fills in what the person wrote. @param {unknown} body @param {FormData} fields @returns {unknown} */
const filled = (body, fields) => {
  if (Array.isArray(body)) return body.map(one => filled(one, fields));
  if (body === null || typeof body !== "object") return body;
  const entries = Object.entries(body);
  if (entries.length === 1 && entries[0]?.[0] === "$") return fields.get(entries[0][1]) ?? "";
  return Object.fromEntries(entries.map(([name, value]) => [name, filled(value, fields)]));
};

/** @param {string} path @param {unknown} body What the answer is to: exactly what will be posted, but for the proof. */
const proof = async (path, body) => {
  const asked = path === "/v1/sessions" ? await ask("/v1/sessions/challenge", {}) : await ask("/v1/challenge/passkey", { path, body });
  // Nothing is awaited between the answer and the question: browsers forget the click.
  const given = /** @type {PublicKeyCredential} */ (await navigator.credentials.get({ publicKey: {
    challenge: base64.bytes(asked.webauthn), rpId: asked.rp, userVerification: "required",
    allowCredentials: asked.passkeys.map((/** @type {{id: string}} */ one) => ({ type: "public-key", id: base64.bytes(one.id) })),
  } }));
  const response = /** @type {AuthenticatorAssertionResponse} */ (given.response);
  const same = (/** @type {{id: string}} */ one) => one.id === base64.of(given.rawId);
  return {
    // Which session this is, and which passkey where nobody is signed in, the home knows by itself.
    challenge: asked.challenge, session: "0".repeat(32), credential: asked.passkeys.find(same)?.credential ?? "0".repeat(32),
    assertion: {
      kind: "passkey", credential_id: base64.of(given.rawId), authenticator_data: base64.of(response.authenticatorData),
      client_data: base64.of(response.clientDataJSON), signature: base64.of(response.signature),
    },
  };
};

/** What is answered with one touch: the cards that are chosen, as they stand on the page. @param {Form} form */
const chosen = form => [...document.querySelectorAll(`input[name="choose"][form="${CSS.escape(form.id)}"]:checked`)]
  .map(box => /** @type {HTMLElement} */ (box.closest("[data-digest]")).dataset)
  .map(card => ({ id: card.action, digest: card.digest }));

/** @param {Form} form */
const touch = async form => {
  const { touch: path = "", said = "", answer = "", to = "" } = form.dataset;
  const body = /** @type {Record<string, unknown>} */ (filled(JSON.parse(form.dataset.body ?? "{}"), new FormData(form)));
  if (form.dataset.together) body.shown = chosen(form);
  // What is signed is not the password, so it is sent once.
  const { password, ...signed } = body;
  const whole = { ...body, proof: await proof(path, signed) };
  if (answer === "codes") { await showCodes((await ask(path, whole)).codes); return; }
  const got = await send(path, whole);
  if (!got.ok) throw await failure(got);
  if (answer === "keep") { keep(await got.blob(), to); say(said); return; }
  if (answer === "go") { location.assign(to); return; }
  if (answer === "follow") { const { url } = await got.json(); if (String(url).startsWith("https://")) location.assign(url); return; }
  form.removeAttribute("data-touched");
  /** @type {HTMLElement | null} */ (document.activeElement)?.blur();
  say(said);
  await refresh();
};

/** @param {Form} form */
const create = async form => {
  const name = String(new FormData(form).get("name"));
  const path = "/v1/browsers/link";
  const token = location.hash.slice(1) || (await ask(path, { proof: await proof(path, {}) })).token;
  const asked = await ask("/v1/browsers/options", { token });
  const made = /** @type {PublicKeyCredential} */ (await navigator.credentials.create({ publicKey: {
    challenge: base64.bytes(asked.challenge), rp: { id: asked.rp, name: "Bailey" },
    user: { id: base64.bytes(asked.user), name: asked.user_name, displayName: name },
    pubKeyCredParams: asked.algorithms.map((/** @type {number} */ alg) => ({ type: "public-key", alg })),
    authenticatorSelection: { residentKey: "required", userVerification: "required" }, attestation: "none",
    excludeCredentials: asked.exclude.map((/** @type {string} */ id) => ({ type: "public-key", id: base64.bytes(id) })),
  } }));
  const response = /** @type {AuthenticatorAttestationResponse} */ (made.response);
  const claimed = await ask(form.dataset.create ?? "", {
    token, name, credential_id: base64.of(made.rawId), client_data: base64.of(response.clientDataJSON),
    authenticator_data: base64.of(response.getAuthenticatorData()),
  });
  history.replaceState(null, "", location.pathname);
  if (claimed.recovery_codes.length > 0) await showCodes(claimed.recovery_codes); else location.assign("/talk");
};

/** Shows recovery codes, on the page that is there for them. @param {string[]} codes */
const showCodes = async codes => {
  const main = (await page("GET", "/recovery-codes")).querySelector("main");
  const list = main?.querySelector("#codes");
  if (!main || !list) throw new Error("The codes cannot be shown. Make new ones in the settings.");
  list.replaceChildren(...codes.map(code => {
    const line = document.createElement("li");
    line.append(document.createElement("code"));
    line.firstElementChild?.append(code);
    return line;
  }));
  document.querySelector("main")?.replaceWith(document.adoptNode(main));
  // Nothing takes them away before they are kept.
  stream?.close();
  delete document.body.dataset.events;
  ready();
};

/** @param {Blob} what @param {string} name */
const keep = (what, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(what);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
};

/** What browsers say where nobody touched, in words that help. @param {Error} error */
const told = error => error.name === "NotAllowedError" || error.name === "AbortError"
  ? "No passkey answered, so nothing was done. Try again when you like." : error.message;

/** Turns on what may be touched: all lines ticked, something chosen, a passkey possible. */
const ready = () => {
  const able = "credentials" in navigator && typeof PublicKeyCredential === "function";
  for (const form of /** @type {NodeListOf<Form>} */ (document.querySelectorAll("form[data-touch], form[data-create]"))) {
    const button = form.querySelector("button");
    if (!button || form.busy) continue;
    const open = [...form.elements].every(one => !(one instanceof HTMLInputElement && one.type === "checkbox" && one.required) || one.checked);
    const { together } = form.dataset;
    const many = together ? chosen(form).length : 1;
    button.disabled = !able || !open || many < 1 || many > Number(together ?? 1);
  }
};

document.addEventListener("submit", async event => {
  const form = /** @type {Form} */ (event.target);
  if (form.action.endsWith("/do/pause")) {
    setTimeout(() => say("Pausing takes long. On the machine, `bailey pause` stops everything even where the home hangs."), 5_000);
    return;
  }
  const { touch: path, create: made } = form.dataset;
  if (path === undefined && made === undefined) return;
  event.preventDefault();
  const button = form.querySelector("button");
  if (form.busy || !button) return;
  form.busy = button.disabled = true;
  say("");
  try { await (path === undefined ? create(form) : touch(form)); } catch (error) { say(told(/** @type {Error} */ (error))); }
  form.busy = false;
  ready();
});
document.addEventListener("input", event => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  field.form?.setAttribute("data-touched", "");
  ready();
});
document.addEventListener("click", event => {
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-keep]"));
  if (!button) return;
  const lines = [...document.querySelectorAll(`${button.dataset.keep} li`)].map(line => line.textContent);
  keep(new Blob([lines.join("\n") + "\n"], { type: "text/plain" }), button.dataset.name ?? "bailey.txt");
});

// --- Keys: j and k go from card to card; e edits, r refuses, x chooses. Approving is never one key. ---
document.addEventListener("keydown", event => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select")) return;
  const cards = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("article.card")]);
  const at = cards.findIndex(card => card.contains(document.activeElement));
  const go = (/** @type {number} */ to) => /** @type {HTMLElement | null} */ (cards[to]?.querySelector("h1, h2, h3"))?.focus();
  const press = (/** @type {string} */ what) => /** @type {HTMLElement | null} */ (cards[at]?.querySelector(what))?.click();
  if (event.key === "j") go(Math.min(at + 1, cards.length - 1));
  else if (event.key === "k") go(Math.max(at - 1, 0));
  else if (event.key === "e") press("a.edit");
  else if (event.key === "r") press("button.reject");
  else if (event.key === "x") press("input[name=choose]");
});

setInterval(() => {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-until]")))
    place.textContent = `${Math.max(0, Math.ceil((Number(place.dataset.until) - Date.now()) / 1_000))} s`;
}, 1_000);

document.documentElement.classList.add("scripted");
ready();
follow();
