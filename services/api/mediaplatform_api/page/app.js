// The page: who is signed in, which view is shown, and what its buttons do.

import * as api from "./api.js";
import { Gallery, button, card } from "./gallery.js";
import * as uploads from "./uploads.js";

const $ = (selector) => document.querySelector(selector);
const notice = (text) => { $("#notice").textContent = text; };
let user = null;

// Feed

const feed = new Gallery($("#feed"), {
  load: async (cursor) => {
    const page = await api.call("GET", `feed?${new URLSearchParams({ cursor })}`);
    const ids = page.items.map((item) => item.id);
    const mine = user && ids.length ? await api.call("GET", `feed/likes?ids=${ids}`) : { items: [] };
    const known = new Map(mine.items.map((item) => [item.id, item]));
    return { ...page, items: page.items.map((item) => ({ ...item, ...known.get(item.id) })) };
  },
  card: (item) => card(item, [likeButton(item)]),
  empty: "Nothing is public yet.",
});

function likeButton(item) {
  const show = (made) => {
    made.textContent = `♥ ${item.likesCount}`;
    made.ariaPressed = String(Boolean(item.liked));
    made.ariaLabel = `Like ${item.title}, ${item.likesCount} likes`;
  };
  const made = button("", async () => {
    if (!user) return openAccount();
    await tell(async () => {
      const answer = await api.call(item.liked ? "DELETE" : "PUT", `media/${item.id}/like`);
      Object.assign(item, answer);
    });
    show(made);
  });
  show(made);
  return made;
}

// Library

const library = new Gallery($("#library"), {
  load: (cursor) => {
    const query = new URLSearchParams({ cursor, q: $("#search").value, state: $("#shown").value });
    return user ? api.call("GET", `media?${query}`) : { items: [], nextCursor: null };
  },
  card: (item) => card({ ...item, images: item.renditions }, libraryActions(item)),
  empty: "Nothing here yet. Upload something, or drop it anywhere on this page.",
});

function libraryActions(item) {
  const change = (method, path, body) => () => tell(async () => {
    await api.call(method, path, { body });
    await library.refresh();
  });
  const path = `media/${item.id}`;
  const remove = button("Delete", change("DELETE", path));
  if (item.state === "trashed") {
    const restore = button("Restore", change("POST", `${path}/restore`));
    return [restore, button("Delete for good", change("DELETE", `${path}?permanent=true`))];
  }
  if (item.state === "failed") return [remove];
  if (item.state !== "ready") return [button("Cancel", change("POST", `${path}/cancel`))];
  const target = item.visibility === "public" ? "private" : "public";
  const text = target === "public" ? "Publish" : "Make private";
  return [button(text, change("PATCH", path, { visibility: target })), remove];
}

// Uploads

function upload(files) {
  if (!user) return openAccount();
  show("library");
  const done = () => library.refresh();
  uploads.add(files, { visibility: $("#visibility").value, list: $("#uploads"), done });
}

for (const input of [$("#files"), $("#folder")]) {
  input.onchange = () => { upload([...input.files]); input.value = ""; };
}

addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  $("#drop").hidden = false;
});
addEventListener("dragleave", (event) => { if (!event.relatedTarget) $("#drop").hidden = true; });
addEventListener("drop", async (event) => {
  event.preventDefault();
  $("#drop").hidden = true;
  upload(await uploads.dropped(event.dataTransfer));
});

// Account

const dialog = $("#account");
const form = dialog.querySelector("form");
let registering = false;

function openAccount() {
  setRegistering(false);
  dialog.querySelector(".fault").textContent = "";
  dialog.showModal();
}

function setRegistering(value) {
  registering = value;
  const name = value ? "Register" : "Sign in";
  $("#account-title").textContent = name;
  form.querySelector("[type=submit]").textContent = name;
  form.querySelector("[data-switch]").textContent =
    value ? "Known here? Sign in" : "New here? Register";
  for (const label of form.querySelectorAll("[data-register]")) {
    label.hidden = !value;
    label.querySelector("input").required = value;
  }
  form.elements.password.autocomplete = value ? "new-password" : "current-password";
}

form.querySelector("[data-switch]").onclick = () => setRegistering(!registering);
form.querySelector("[data-close]").onclick = () => dialog.close();
form.onsubmit = async (event) => {
  event.preventDefault();
  const { name, email, password, again } = form.elements;
  const fault = dialog.querySelector(".fault");
  fault.textContent = "";
  try {
    if (registering && password.value !== again.value) throw new Error("The passwords differ.");
    signedIn(registering
      ? await api.register(name.value, email.value, password.value)
      : await api.signIn(email.value, password.value));
    form.reset();
    dialog.close();
  } catch (problem) {
    fault.textContent = problem.message;
  }
};

$("#sign-in").onclick = openAccount;
$("#sign-out").onclick = () => tell(async () => {
  await api.signOut();
  signedIn(null);
  show("feed");
});

function signedIn(who) {
  user = who;
  $("#who").textContent = who?.name ?? "";
  $("#sign-in").hidden = Boolean(who);
  $("#sign-out").hidden = !who;
  $("[data-view=library]").hidden = !who;
  feed.refresh();
}

// Views

function show(view) {
  for (const tab of document.querySelectorAll("[data-view]")) {
    const current = tab.dataset.view === view;
    tab.ariaCurrent = current ? "page" : null;
    $(`#${tab.dataset.view}`).hidden = !current;
  }
  (view === "feed" ? feed : library).refresh();
}

for (const tab of document.querySelectorAll("[data-view]")) {
  tab.onclick = () => show(tab.dataset.view);
}
$("#search-form").onsubmit = (event) => { event.preventDefault(); library.refresh(); };
$("#search").oninput = () => library.refresh();
$("#shown").onchange = () => library.refresh();

/** Do it, and say what went wrong where it did. */
async function tell(work) {
  notice("");
  try {
    await work();
  } catch (problem) {
    notice(problem.message);
  }
}

signedIn(await api.renew());
