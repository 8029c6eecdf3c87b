// @ts-check
// Whether the log only grew since this browser saw it: a consistency proof (RFC 9162, 2.1.4.2), checked here and not by the home.

/** @param {string} text */
const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
/** @param {Uint8Array} one @param {Uint8Array} other */
const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);
/** The hash of two nodes (RFC 9162, 2.1.1). @param {Uint8Array} left @param {Uint8Array} right */
const node = async (left, right) => new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array([1, ...left, ...right])));

/** Whether a tree of `to` leaves begins with one of `from`. @param {number} from @param {Uint8Array} old @param {number} to @param {Uint8Array} fresh @param {Uint8Array[]} proof */
const grew = async (from, old, to, fresh, proof) => {
  if (from === to) return proof.length === 0 && same(old, fresh);
  if (from < 1 || from > to) return false;
  const path = Number.isInteger(Math.log2(from)) ? [old, ...proof] : proof;
  if (path.length === 0) return false;
  let of = BigInt(from - 1), last = BigInt(to - 1), [before, after] = [path[0], path[0]];
  while (of & 1n) { of >>= 1n; last >>= 1n; }
  for (const one of path.slice(1)) {
    if (last === 0n) return false;
    if (of & 1n || of === last) {
      [before, after] = [await node(one, before), await node(one, after)];
      while (!(of & 1n) && of !== 0n) { of >>= 1n; last >>= 1n; }
    } else after = await node(after, one);
    of >>= 1n;
    last >>= 1n;
  }
  return last === 0n && same(before, old) && same(after, fresh);
};

/** @param {HTMLElement} badge @param {string} state @param {string} words */
const show = (badge, state, words) => { badge.dataset.badge = state; badge.textContent = words; };

/** @param {HTMLElement} badge */
const check = async badge => {
  const place = `log ${badge.dataset.home}`;
  /** @type {{log: string, size: number, root: string} | null} */
  const pinned = JSON.parse(localStorage.getItem(place) ?? "null");
  const seen = pinned?.size.toLocaleString() ?? "";
  const bad = "NOT the log this browser saw";
  const answer = await fetch(`/v1/log/consistency?from=${pinned?.size ?? 0}`);
  if (answer.status === 409) return show(badge, "bad", `${bad} at ${seen} entries: it is shorter now. An older copy was put back, or entries were removed.`);
  if (!answer.ok) return show(badge, "unknown", "Whether the log is whole cannot be told now.");
  const { from, to, proof, root, checkpoint } = await answer.json();
  const [log, size, signed] = checkpoint.split("\n");
  if (Number(size) !== to || signed !== root) return show(badge, "bad", "NOT whole: the entries are not those that were signed.");
  if (pinned && (from !== pinned.size || log !== pinned.log || !await grew(pinned.size, bytes(pinned.root), to, bytes(root), proof.map(bytes))))
    return show(badge, "bad", `${bad} at ${seen} entries: what it held then was changed. On the machine: bailey log verify`);
  localStorage.setItem(place, JSON.stringify({ log, size: to, root }));
  show(badge, "whole", pinned ? `Whole, same as this browser saw at ${seen} entries` : `Whole at ${to.toLocaleString()} entries; this browser remembers it from now on`);
};

let checking = false;
const look = async () => {
  const badge = document.getElementById("badge");
  if (!badge || badge.dataset.badge || checking) return;
  checking = true;
  try { await check(badge); } catch { show(badge, "unknown", "Whether the log is whole cannot be told now."); }
  checking = false;
};
// The page takes over parts of itself: the place is empty again then.
new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
look();
