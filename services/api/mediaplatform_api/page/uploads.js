// Files on their way: hashed here, sent straight to S3, followed until they are ready or refused.

import { call } from "./api.js";

const AT_ONCE = 3;
const MOST_BYTES = 1024 ** 3; // this page hashes a file as a whole, in memory
const WAIT_SECONDS = 20; // of one question about the status
const PATIENCE_MS = 10 * 60_000;
const SETTLED = new Set(["ready", "failed", "cancelled", "expired", "trashed", "deleted"]);

const waiting = [];
let running = 0;

/** Put files on the list; `done` is called when one of them is in the library. */
export function add(files, { visibility, list, done }) {
  for (const file of files) {
    const row = document.getElementById("upload").content.firstElementChild.cloneNode(true);
    row.querySelector(".name").textContent = file.name;
    list.prepend(row);
    const upload = { file, visibility, row, done, key: crypto.randomUUID(), media: null };
    row.querySelector("[data-cancel]").onclick = () => cancel(upload);
    row.querySelector("[data-retry]").onclick = () => enqueue(upload);
    enqueue(upload);
  }
}

function enqueue(upload) {
  upload.stop = new AbortController();
  show(upload, "waiting", "Waiting");
  waiting.push(upload);
  next();
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    running += 1;
    run(waiting.shift()).finally(() => { running -= 1; next(); });
  }
}

async function run(upload) {
  try {
    await send(upload);
  } catch (fault) {
    if (upload.stop.signal.aborted) show(upload, "cancelled", "Cancelled");
    else show(upload, "failed", fault.message);
  }
}

async function send(upload) {
  const { file, stop: { signal } } = upload;
  signal.throwIfAborted();
  if (file.size > MOST_BYTES) throw new Error("This page takes files of up to 1 GiB.");
  show(upload, "hashing", "Hashing");
  const sha256 = hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  signal.throwIfAborted();
  const { media, upload: request } = await ask(upload, sha256);
  upload.media = media;
  if (!request) return settle(upload, await follow(media.id, signal), "Already there");
  const progress = (share) =>
    show(upload, "uploading", `Uploading ${Math.floor(share * 100)} %`, share);
  progress(0);
  await put(request, file, signal, progress);
  show(upload, "processing", "Processing", 1);
  await call("POST", `media/${media.id}/confirm`, { signal });
  return settle(upload, await follow(media.id, signal), "Ready");
}

/** Ask for a place to put the file; the key makes asking again the same question. */
function ask({ file, visibility, key, stop }, sha256) {
  const body = {
    fileName: file.name, size: file.size, sha256, visibility,
    contentType: file.type || "application/octet-stream",
  };
  return call("POST", "media/upload-url", {
    body, signal: stop.signal, headers: { "idempotency-key": key },
  });
}

/** The PUT to S3. XMLHttpRequest, because fetch tells nothing about the progress of an upload. */
function put({ method, url, headers }, file, signal, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) {
      if (name.toLowerCase() !== "content-length") request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => progress(event.loaded / file.size);
    request.onload = () => {
      // 412: the bytes are there already, from an answer that was lost on its way.
      if (request.status < 300 || request.status === 412) resolve();
      else reject(new Error(`The storage refused the file (${request.status}). Try again.`));
    };
    request.onerror = () => reject(new Error("The connection was lost. Try again."));
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop);
    request.send(file);
  });
}

/** The item once it has come to rest; each question waits on the server for a change. */
async function follow(id, signal) {
  const end = Date.now() + PATIENCE_MS;
  let known = "";
  while (Date.now() < end) {
    const query = new URLSearchParams({ wait: WAIT_SECONDS, known });
    const status = await call("GET", `media/${id}/status?${query}`, { signal });
    if (SETTLED.has(status.state)) return status;
    known = status.state;
  }
  throw new Error("This takes unusually long. It goes on without this page.");
}

function settle(upload, status, ready) {
  if (status.state !== "ready") throw new Error(status.reasonDetail || `It is ${status.state}.`);
  show(upload, "ready", ready, 1);
  upload.done(upload.media.id);
}

async function cancel(upload) {
  upload.stop.abort();
  const place = waiting.indexOf(upload);
  if (place >= 0) waiting.splice(place, 1);
  show(upload, "cancelled", "Cancelled");
  if (upload.media) await call("POST", `media/${upload.media.id}/cancel`).catch(() => {});
  upload.media = null;
  upload.key = crypto.randomUUID(); // a retry asks for a new place
}

function show(upload, state, text, share) {
  const { row } = upload;
  row.dataset.state = state;
  row.querySelector(".state").textContent = text;
  const bar = row.querySelector("progress");
  if (share === undefined) bar.removeAttribute("value");
  else bar.value = share;
  const over = ["ready", "failed", "cancelled"].includes(state);
  bar.hidden = over;
  row.querySelector("[data-cancel]").hidden = over;
  row.querySelector("[data-retry]").hidden = !["failed", "cancelled"].includes(state);
}

const hex = (buffer) =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** All files in what was dropped, folders included. */
export async function dropped(transfer) {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter(Boolean);
  const found = entries.length ? [] : [...transfer.files]; // what comes from no file system
  while (entries.length) {
    const entry = entries.shift();
    if (entry.isFile) {
      found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    } else {
      const reader = entry.createReader();
      for (;;) { // a reader hands out at most 100 entries at a time
        const more = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (!more.length) break;
        entries.push(...more);
      }
    }
  }
  return found;
}
