// @ts-check
// Asks this browser for a subscription, and fills it into the form that a passkey confirms.

/** @type {any} */
const types = /** @type {any} */ (window).trustedTypes;
const ours = "/worker.js";
const policy = types?.createPolicy("worker", { createScriptURL: (/** @type {string} */ url) => url === ours ? url : "" });

/** @param {string} words */
const say = words => { const said = document.getElementById("said"); if (said) said.textContent = words; };

/** @param {string} key In base64 of URLs. */
const bytes = key => Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), letter => letter.charCodeAt(0));

/** @param {HTMLElement} button */
const ask = async button => {
  if (!("PushManager" in window)) throw new Error("This browser cannot be woken. On an iPhone or iPad, add Bailey to the home screen first; elsewhere, use ntfy or Gotify.");
  if (await Notification.requestPermission() !== "granted") throw new Error("This browser does not let Bailey notify you. Its settings for this site can change that.");
  const worker = await navigator.serviceWorker.register(policy ? policy.createScriptURL(ours) : ours);
  await navigator.serviceWorker.ready;
  const given = (await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(button.dataset.key ?? "") })).toJSON();
  const form = /** @type {HTMLFormElement} */ (document.getElementById("wake"));
  const fields = { endpoint: given.endpoint, public: given.keys?.p256dh, auth: given.keys?.auth };
  const input = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  for (const [name, value] of Object.entries(fields)) input(name).value = value ?? "";
  form.hidden = false;
  // The main script turns its button on, and leaves it alone when the page is renewed.
  input("endpoint").dispatchEvent(new Event("input", { bubbles: true }));
  form.querySelector("button")?.focus();
};

document.addEventListener("click", event => {
  const button = event.target instanceof Element ? event.target.closest("#wake-ask") : null;
  if (button instanceof HTMLElement) ask(button).catch(error => say(`It cannot be set up here: ${error.message}`));
});
