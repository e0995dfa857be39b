// Pictures in rows, one page after the other as the reader comes near the end.

const AHEAD = "800px";

export class Gallery {
  #grid;
  #end;
  #load;
  #card;
  #cursor = "";
  #round = 0;
  #busy = false;

  /** `load(cursor)` answers {items, nextCursor}; `card(item)` makes what is shown of one. */
  constructor(section, { load, card, empty }) {
    this.#grid = section.querySelector(".grid");
    this.#end = section.querySelector(".end");
    this.#load = load;
    this.#card = card;
    this.empty = empty;
    new IntersectionObserver(
      (entries) => { if (entries.some((entry) => entry.isIntersecting)) this.#more(); },
      { rootMargin: AHEAD },
    ).observe(this.#end);
  }

  /** Begin anew, keeping what is shown until there is something else to show. */
  async refresh() {
    this.#round += 1;
    this.#cursor = "";
    this.#busy = false;
    await this.#more();
  }

  async #more() {
    if (this.#busy || this.#cursor === null) return;
    const round = this.#round;
    this.#busy = true;
    try {
      const page = await this.#load(this.#cursor);
      if (round !== this.#round) return;
      const cards = page.items.map(this.#card);
      if (this.#cursor === "") this.#grid.replaceChildren(...cards);
      else this.#grid.append(...cards);
      this.#cursor = page.nextCursor;
      this.#end.textContent = this.#grid.childElementCount ? "" : this.empty;
    } catch (fault) {
      if (round === this.#round) this.#failed(fault);
      return;
    } finally {
      if (round === this.#round) this.#busy = false;
    }
    // The observer tells of changes only: after a short page the end may still be in sight.
    if (this.#end.getBoundingClientRect().top < innerHeight + parseInt(AHEAD, 10)) this.#more();
  }

  #failed(fault) {
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = "Try again";
    again.onclick = () => { this.#end.textContent = ""; this.#more(); };
    this.#end.replaceChildren(`${fault.message} `, again);
  }
}

/** The card of an item: its frame has the picture's shape and colour before the picture is there. */
export function card(item, actions) {
  const figure = document.getElementById("card").content.firstElementChild.cloneNode(true);
  const ratio = item.width && item.height ? item.width / item.height : 4 / 3;
  figure.dataset.id = item.id;
  figure.style.setProperty("--ratio", Math.min(Math.max(ratio, 0.5), 3));
  figure.querySelector(".title").textContent = item.title;
  figure.querySelector(".by").textContent = item.owner?.name ?? (item.state === "ready" ? item.visibility : item.state);
  figure.querySelector(".actions").replaceChildren(...actions);
  const frame = figure.querySelector(".frame");
  if (item.placeholder) frame.style.background = averageColour(item.placeholder);
  if (item.images?.length) fill(figure.querySelector("picture"), item);
  else frame.append(Object.assign(document.createElement("p"), { textContent: item.reasonDetail ?? "" }));
  return figure;
}

function fill(picture, item) {
  const formats = new Map();
  for (const image of item.images) {
    formats.set(image.format, [...(formats.get(image.format) ?? []), image]);
  }
  const jpeg = formats.get("image/jpeg") ?? item.images;
  formats.delete("image/jpeg");
  const sizes = `calc(${(item.width / item.height).toFixed(3)} * 18rem)`;
  const srcset = (images) => images.map((image) => `${image.url} ${image.width}w`).join(", ");
  const sources = [...formats].map(([type, images]) =>
    Object.assign(document.createElement("source"), { type, srcset: srcset(images), sizes }));
  const img = Object.assign(document.createElement("img"), {
    alt: item.title, loading: "lazy", decoding: "async",
    width: item.width, height: item.height, sizes, srcset: srcset(jpeg), src: jpeg[0].url,
  });
  picture.replaceChildren(...sources, img);
}

/** The mean colour in a ThumbHash (evanw.github.io/thumbhash): its first three bytes. */
function averageColour(placeholder) {
  const bytes = Uint8Array.from(atob(placeholder), (letter) => letter.charCodeAt(0));
  const header = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
  const l = (header & 63) / 63;
  const p = ((header >> 6) & 63) / 31.5 - 1;
  const q = ((header >> 12) & 63) / 31.5 - 1;
  const b = l - (2 / 3) * p;
  const r = (3 * l - b + q) / 2;
  const channels = [r, r - q, b].map((value) => Math.round(255 * Math.min(Math.max(value, 0), 1)));
  return `rgb(${channels.join(" ")})`;
}

/** A button that cannot be pressed again before it is done. */
export function button(text, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.onclick = async () => {
    made.disabled = true;
    try { await press(made); } finally { made.disabled = false; }
  };
  return made;
}
