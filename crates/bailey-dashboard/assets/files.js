// @ts-check
// Puts files in pieces, so that large ones go as well; without it the form goes as it is.

const PIECE = 2_000_000;

/** @param {string} path @param {unknown} body @returns {Promise<any>} */
const post = async (path, body) => {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message);
  return said;
};

/** @param {Blob} piece @returns {Promise<string>} */
const base64 = piece => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(String(reader.result).split(",", 2)[1] ?? "");
  reader.onerror = () => failed(reader.error);
  reader.readAsDataURL(piece);
});

/** @param {File} file @param {string} path @param {(bytes: number) => void} told */
const put = async (file, path, told) => {
  const there = await fetch(`/v1/files?path=${encodeURIComponent(path)}`);
  const follows = there.ok ? (await there.json()).files[0].newest.version : undefined;
  const { id } = await post("/v1/files/uploads", { path, bytes: file.size, ...(follows && { follows }) });
  for (let at = 0; at < file.size; at += PIECE) {
    await post(`/v1/files/uploads/${id}`, { at, base64: await base64(file.slice(at, at + PIECE)) });
    told(Math.min(at + PIECE, file.size));
  }
  await post(`/v1/files/uploads/${id}/end`, undefined);
};

document.addEventListener("submit", async event => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.id !== "put") return;
  event.preventDefault();
  const said = /** @type {HTMLElement} */ (document.getElementById("put-said"));
  const files = /** @type {HTMLInputElement} */ (form.elements.namedItem("file")).files ?? [];
  const into = /** @type {HTMLInputElement} */ (form.elements.namedItem("into")).value.replace(/^\/+|\/+$/g, "");
  const folder = [form.dataset.folder, into].filter(Boolean).join("/");
  try {
    for (const file of files) {
      const say = (/** @type {number} */ bytes) => { said.textContent = `${file.name}: ${bytes.toLocaleString()} of ${file.size.toLocaleString()} bytes`; };
      say(0);
      await put(file, folder ? `${folder}/${file.name}` : file.name, say);
    }
    location.assign(folder ? `/files?folder=${encodeURIComponent(folder)}` : "/files");
  } catch (error) {
    said.textContent = `Not put: ${error instanceof Error ? error.message : error}`;
  }
});
