// @ts-check
// Wakes the person: shows how many actions wait, opens them, and says what to do where the home cannot be reached. Keeps nothing.

const worker = /** @type {any} */ (self);

/** @param {number} waiting */
const words = waiting => waiting === 0 ? "Notices arrive here. Nothing waits for you."
  : waiting === 1 ? "1 action waits for you." : `${waiting} actions wait for you.`;

worker.addEventListener("push", (/** @type {any} */ event) => {
  const said = event.data?.json() ?? {};
  const waiting = Number.isInteger(said.waiting) && said.waiting >= 0 ? said.waiting : 1;
  // A browser that is woken has to show something, or it is woken no more.
  event.waitUntil(worker.registration.showNotification("Bailey", { body: words(waiting), tag: "waiting", renotify: true }));
  if (waiting) worker.navigator.setAppBadge?.(waiting); else worker.navigator.clearAppBadge?.();
});

worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  worker.navigator.clearAppBadge?.();
  event.waitUntil((async () => {
    const open = await worker.clients.matchAll({ type: "window" });
    const one = open.find((/** @type {any} */ page) => new URL(page.url).pathname === "/approvals");
    return one ? one.focus() : worker.clients.openWindow("/approvals");
  })());
});

const away = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Bailey cannot be reached</title>
<style>body{font:1rem/1.55 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1.25rem}</style>
<main><h1>Bailey cannot be reached</h1>
<p>This device is not connected, or your home's machine is off or locked. Nothing is lost: what waited still waits.</p>
<p>On its machine, <code>bailey status</code> says how it is, and <code>bailey unlock</code> opens a locked one.</p>
<p><a href="/talk">Try again</a></p></main></html>`;

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  if (event.request.mode !== "navigate" || event.request.method !== "GET") return;
  const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'" };
  event.respondWith(fetch(event.request).catch(() => new Response(away, { status: 503, headers })));
});

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));
