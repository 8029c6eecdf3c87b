// @ts-check
// What pages cannot do by themselves: passkeys, renewal, keys. No text becomes HTML.

const base64 = {
  /** @param {ArrayBuffer} bytes */
  of: bytes => btoa(String.fromCharCode(...new Uint8Array(bytes))),
  /** @param {string} text In the alphabet of URLs (RFC 4648, 5). */
  bytes: text => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), letter => letter.charCodeAt(0)),
};
/** @param {string} what @param {ParentNode} within @returns {HTMLElement[]} */
const all = (what, within = document) => [...within.querySelectorAll(what)].map(one => /** @type {HTMLElement} */ (one));
/** @param {string} words */
const say = words => { for (const said of all("#said")) said.textContent = words; };

/** @param {string} path @param {unknown} [body] */
const send = async (path, body) => {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => null);
  throw new Error(told?.message ?? `The home answered ${answer.status}. On its machine: bailey status`);
};

/** @param {string} path @returns {Promise<Document>} */
const page = path => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open("GET", path);
  request.responseType = "document";
  request.setRequestHeader("accept", "text/html");
  request.onload = () => request.response && request.status < 500 ? resolve(request.response) : reject(new Error("The home did not answer with a page."));
  request.onerror = () => reject(new Error("The home cannot be reached."));
  request.send();
});

/** Whether the person is at something there. @param {Element} part */
const busy = part => part.contains(document.activeElement) || part.querySelector("form[data-touched]") !== null
  || (getSelection()?.isCollapsed === false && part.contains(getSelection()?.anchorNode ?? null));

/** Takes over what differs; where the person is busy, part by part. @param {HTMLElement} old @param {HTMLElement} fresh */
const renew = (old, fresh) => {
  if (old.dataset.v === fresh.dataset.v) return;
  if (!busy(old)) {
    for (const open of all("details[open][id]", old)) fresh.ownerDocument.getElementById(open.id)?.setAttribute("open", "");
    old.replaceWith(document.adoptNode(fresh));
    return;
  }
  const [within, were] = [fresh, old].map(whole => all("[data-v]", whole).filter(part => part.parentElement?.closest("[data-v]") === whole));
  for (const part of were ?? []) if (!busy(part) && !within?.some(one => one.id === part.id)) part.remove();
  for (const part of within ?? []) {
    const before = document.getElementById(part.id);
    if (before) renew(before, part); else old.append(document.adoptNode(part));
  }
};

/** @type {Map<string, EventSource>} */
const streams = new Map();
let away = false;
let renewing = 0;
let lost = false;
let still = 0;
/** Where what approves stands. */
const places = () => all("form.approve, form.together").map(one => `${one.id} ${one.getBoundingClientRect().top}`).join();
const refresh = async () => {
  // What a form was answered with is no page to be asked for anew.
  if (location.pathname.startsWith("/do/") || renewing++) return;
  try {
    const fresh = await page(location.href);
    // While something is sent, its answer says where to go.
    if (!fresh.getElementById("top") && !working.size) return location.reload();
    const before = places();
    for (const part of all("#top, #band, #page")) {
      const other = fresh.getElementById(part.id);
      if (other) renew(part, other);
    }
    // What moves under a finger takes no touch meant for something else.
    if (places() !== before) { still = Date.now() + 1_500; setTimeout(ready, 1_500); }
    document.title = fresh.title;
    if (lost) say("");
    lost = false;
    follow();
    ready();
  } catch { if (lost) setTimeout(refresh, 5_000); }
  const more = renewing > 1;
  renewing = 0;
  if (more) refresh();
};

// Browsers keep six connections to a name: unseen pages give up theirs.
const follow = () => {
  const wanted = document.visibilityState === "visible" ? all("[data-events]").map(one => one.dataset.events ?? "") : [];
  for (const [from, stream] of streams) if (!wanted.includes(from)) { stream.close(); streams.delete(from); }
  for (const from of wanted.filter(from => !streams.has(from))) {
    const stream = new EventSource(from);
    streams.set(from, stream);
    // The first tells what is known.
    let first = !away;
    const changed = () => { if (!first) refresh(); first = false; };
    stream.onerror = () => {
      if (stream.readyState !== 2 || streams.get(from) !== stream) return;
      streams.delete(from);
      lost = true;
      say("Not connected: this page may be old.");
      setTimeout(refresh, 2_000);
    };
    stream.addEventListener("change", changed);
    stream.addEventListener("task", changed);
    stream.addEventListener("words", event => words(JSON.parse(event.data)));
  }
  away = wanted.length === 0;
};
document.addEventListener("visibilitychange", follow);

let answering = "";
/** @param {{request: number, attempt: number, text: string}} piece */
const words = ({ request, attempt, text }) => {
  for (const place of all("p[data-events]")) {
    if (answering !== `${request} ${attempt}`) place.textContent = "";
    answering = `${request} ${attempt}`;
    place.append(text);
  }
};

/** Shows another page, perhaps this once. @param {Document} shown */
const show = shown => {
  document.body.removeAttribute("data-events");
  follow();
  const main = shown.querySelector("main");
  if (main) document.querySelector("main")?.replaceWith(document.adoptNode(main));
  ready();
};

/** Fills in what the person wrote. @param {any} body @param {FormData} fields @returns {any} */
const filled = (body, fields) => {
  if (Array.isArray(body)) return body.map(one => filled(one, fields));
  if (body === null || typeof body !== "object") return body;
  if (typeof body.$ === "string") return fields.get(body.$) ?? "";
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, filled(value, fields)]));
};

/** @param {string[]} ids @returns {PublicKeyCredentialDescriptor[]} */
const keys = ids => ids.map(id => ({ type: "public-key", id: base64.bytes(id) }));

/** @param {string} path @param {unknown} body What will be posted, but for the proof. */
const proof = async (path, body) => {
  const asked = await (path === "/v1/sessions" ? send(`${path}/challenge`) : send("/v1/challenge/passkey", { path, body })).then(got => got.json());
  /** @type {{id: string, credential: string}[]} */
  const known = asked.passkeys;
  // Nothing else is awaited since the click: browsers would forget it.
  const given = /** @type {PublicKeyCredential} */ (await navigator.credentials.get({ publicKey: {
    challenge: base64.bytes(asked.webauthn), rpId: asked.rp, userVerification: "required", allowCredentials: keys(known.map(one => one.id)),
  } }));
  const { authenticatorData, clientDataJSON, signature } = /** @type {AuthenticatorAssertionResponse} */ (given.response);
  return {
    // The home knows which session this is, and which passkey where nobody is signed in.
    challenge: asked.challenge, session: "0".repeat(32),
    credential: known.find(one => one.id === base64.of(given.rawId))?.credential ?? "0".repeat(32),
    assertion: {
      kind: "passkey", credential_id: base64.of(given.rawId), authenticator_data: base64.of(authenticatorData),
      client_data: base64.of(clientDataJSON), signature: base64.of(signature),
    },
  };
};

/** The chosen cards, as shown. @param {HTMLFormElement} form */
const chosen = form => all(`input[name="choose"][form="${form.id}"]:checked`)
  .map(box => /** @type {HTMLElement} */ (box.closest("[data-digest]")).dataset).map(({ action: id, digest }) => ({ id, digest }));

/** Leaves for another page; what was sent counts as under way until then. @param {string} to */
const leave = to => { location.assign(to); return new Promise(() => {}); };

/** @param {HTMLFormElement} form */
const touch = async form => {
  const { touch: path = "", body: of = "{}", said = "", answer, to = "", together } = form.dataset;
  const body = filled(JSON.parse(of), new FormData(form));
  if (together) body.shown = chosen(form);
  // What is signed is not the password, so it is sent once.
  const { password: _, ...signed } = body;
  const given = await proof(path, signed);
  // The answer is as long as the log: it goes to the disk as it comes.
  if (answer === "post") {
    const leaving = Object.assign(document.createElement("form"), { method: "post", action: to, hidden: true });
    leaving.append(Object.assign(document.createElement("input"), { name: "proof", value: JSON.stringify(given) }));
    document.body.append(leaving);
    leaving.submit();
    leaving.remove();
    return say(said);
  }
  const got = await send(path, { ...body, proof: given });
  if (answer === "codes") {
    const told = await got.json();
    return showCodes(told.codes ?? [told.token], to);
  }
  if (answer === "go") return leave(to);
  if (answer === "end") {
    const left = (await got.json()).end_by_hand, line = (/** @type {string} */ words) => Object.assign(document.createElement("p"), { textContent: words });
    for (const stream of streams.values()) stream.close();
    return document.body.replaceChildren(line("Deleted: the keys are destroyed, and the files go now."), ...left.map((/** @type {string} */ one) => line(`End this yourself: ${one}`)));
  }
  if (answer === "follow") {
    const { url } = await got.json();
    if (/^https:|^http:\/\/(localhost|127\.0\.0\.1)[:/]/.test(url)) return leave(url);
    return;
  }
  form.removeAttribute("data-touched");
  /** @type {HTMLElement | null} */ (document.activeElement)?.blur();
  say(said);
  if (answer === "renew") await refresh();
};

/** @param {HTMLFormElement} form */
const create = async form => {
  const name = String(new FormData(form).get("name")), path = "/v1/browsers/link";
  const token = (location.pathname === "/claim" && location.hash.slice(1)) || (await (await send(path, { proof: await proof(path, {}) })).json()).token;
  const asked = await (await send("/v1/browsers/options", { token })).json();
  const made = /** @type {PublicKeyCredential} */ (await navigator.credentials.create({ publicKey: {
    challenge: base64.bytes(asked.challenge), rp: { id: asked.rp, name: "Bailey" },
    user: { id: base64.bytes(asked.user), name: asked.user_name, displayName: name },
    pubKeyCredParams: asked.algorithms.map((/** @type {number} */ alg) => ({ type: "public-key", alg })),
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    excludeCredentials: keys(asked.exclude),
  } }));
  const response = /** @type {AuthenticatorAttestationResponse} */ (made.response);
  const claimed = await (await send(form.dataset.create ?? "", {
    token, name, credential_id: base64.of(made.rawId), client_data: base64.of(response.clientDataJSON),
    authenticator_data: base64.of(response.getAuthenticatorData()),
  })).json();
  history.replaceState(null, "", location.pathname);
  if (claimed.recovery_codes.length) await showCodes(claimed.recovery_codes, "/recovery-codes"); else location.assign("/talk");
};

/** @param {string[]} codes @param {string} on */
const showCodes = async (codes, on) => {
  const shown = await page(on);
  for (const list of all("#codes", shown)) list.append(...codes.map(code => Object.assign(document.createElement("li"), { textContent: code })));
  show(shown);
};

/** @param {Blob} what @param {string} name */
const keep = (what, name) => {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(what), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};

const working = new Set();
/** Turns on what may be touched. */
const ready = () => {
  for (const one of all("form[data-touch], form[data-create]")) {
    const form = /** @type {HTMLFormElement} */ (one), { together } = form.dataset, button = form.querySelector("button");
    const open = [...form.elements].some(box => box instanceof HTMLInputElement && box.type === "checkbox" && box.required && !box.checked);
    const many = together ? chosen(form).length : 1;
    if (button) button.disabled = !window.PublicKeyCredential || working.has(form) || open || (form.matches(".approve, .together") && Date.now() < still) || many < 1 || many > Number(together ?? 1);
  }
};

document.addEventListener("submit", async event => {
  const form = /** @type {HTMLFormElement} */ (event.target), { touch: path, create: made } = form.dataset;
  // A form that leaves the page gets a connection at once.
  if (path === undefined && made === undefined) { for (const stream of streams.values()) stream.close(); streams.clear(); }
  if (form.getAttribute("action") === "/do/pause")
    setTimeout(say, 5_000, "Pausing takes long. On its machine: bailey pause");
  if (path === undefined && made === undefined) return;
  event.preventDefault();
  if (working.has(form)) return;
  working.add(form);
  say("");
  ready();
  try { await (made === undefined ? touch(form) : create(form)); } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    say(/^(NotAllowed|Abort)/.test(name) ? "No passkey answered, so nothing was done." : message);
  }
  working.delete(form);
  ready();
});
document.addEventListener("input", event => {
  /** @type {HTMLInputElement} */ (event.target).form?.setAttribute("data-touched", "");
  ready();
});

document.addEventListener("click", ({ target }) => {
  const { keep: list, name = "" } = target instanceof HTMLElement ? target.dataset : {};
  if (list) keep(new Blob(all(`${list} li`).map(line => `${line.textContent}\n`)), name);
});

// Keys: j and k go from card to card; e edits, r refuses, x chooses. Approving is never one key.
document.addEventListener("keydown", ({ ctrlKey, metaKey, altKey, key }) => {
  if (ctrlKey || metaKey || altKey || document.activeElement?.matches("input, textarea, select")) return;
  const cards = all("article.card"), at = cards.findIndex(card => card.contains(document.activeElement));
  const does = { e: "a.edit", r: "button.reject", x: "input[name=choose]" }[key];
  if (key === "j" || key === "k") {
    const next = cards[at + (key === "j" ? 1 : -1)];
    if (next) all("h1, h2, h3", next)[0]?.focus();
  } else if (does && cards[at]) all(does, cards[at])[0]?.click();
});

setInterval(() => {
  for (const place of all("[data-until]"))
    place.textContent = `${Math.max(0, Math.ceil((Number(place.dataset.until) - Date.now()) / 1_000))} s`;
}, 1_000);

document.documentElement.classList.add("scripted");
ready();
follow();
