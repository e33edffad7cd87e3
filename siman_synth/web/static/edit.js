"use strict";
// The panel that changes a word in a photo. Corners are in pixels of the photo itself.

const NAMES = ["top left", "top right", "bottom right", "bottom left"];
let photo = null;
let quad = [];

const corner = (x, y) => [Math.min(Math.max(x, 0), photo.width), Math.min(Math.max(y, 0), photo.height)];
const rounded = (value) => Math.round(value * 10) / 10;

function shape(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const points = (corners) => corners.map((point) => point.join(",")).join(" ");

async function busy(work) {
  const asked = document.activeElement;
  $("edit-progress").hidden = false;
  $("edit-go").disabled = true;
  try { await work(); } finally { $("edit-progress").hidden = true; $("edit-go").disabled = false; }
  if (document.activeElement === document.body) asked.focus();  // a button that was disabled meanwhile has lost it
}

const bring = attempt(async (file) => {
  if (!file) return;
  photo = null;
  $("edit-desk").hidden = true;
  const query = new URLSearchParams({ name: file.name });
  photo = await ask(`/api/photos?${query}`, { method: "POST", headers: { "content-type": "application/octet-stream" }, body: file });
  $("edit-desk").hidden = false;
  $("edit-how").hidden = true;
  $("edit-old").value = "";
  fresh();
  await busy(find);
});

function fresh() {
  $("edit-before").src = `/api/photos/${photo.key}/before.jpg?${Date.now()}`;
  $("edit-after").hidden = true;
  $("edit-compare").hidden = true;
  const { width, height } = photo;
  // A picture of one word is taken whole; in a photo the corners begin around its middle.
  const [x, y] = width > 2 * height && height < 200 ? [0, 0] : [width / 3, height * 0.42];
  quad = [[x, y], [width - x, y], [width - x, height - y], [x, height - y]].map(([a, b]) => [rounded(a), rounded(b)]);
  $("edit-corners").setAttribute("viewBox", `0 0 ${width} ${height}`);
  $("edit-corners").replaceChildren();
  draw();
}

async function find() {
  const mine = photo;
  $("edit-status").textContent = "Looking for words…";
  const found = await ask(`/api/photos/${mine.key}/words`);
  if (mine !== photo) return;
  $("edit-status").textContent = found.problem || "Click a word, or drag the four corners around one.";
  const choose = (word) => { quad = word.quad.map(([x, y]) => corner(x, y)); $("edit-old").value = word.text; draw(); $("edit-text").focus(); };
  for (const word of found.words) {
    const button = shape("polygon", { class: "word", points: points(word.quad), tabindex: "0", role: "button", "aria-label": `Choose ${word.text}` });
    button.addEventListener("click", () => choose(word));
    button.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { choose(word); event.preventDefault(); } });
    $("edit-corners").insertBefore(button, $("edit-corners").querySelector(".chosen"));
  }
}

function draw() {
  const svg = $("edit-corners");
  let outline = svg.querySelector("polygon.chosen");
  if (!outline) {
    outline = shape("polygon", { class: "chosen" });
    svg.append(outline, ...NAMES.map((_, index) => handle(index)));
  }
  outline.setAttribute("points", points(quad));
  const radius = (9 * photo.width) / Math.max(1, svg.clientWidth || svg.getBoundingClientRect().width);
  svg.querySelectorAll("circle").forEach((circle, index) => {
    circle.setAttribute("cx", quad[index][0]);
    circle.setAttribute("cy", quad[index][1]);
    circle.setAttribute("r", radius);
    circle.setAttribute("aria-label", `Corner ${NAMES[index]} at ${quad[index].map(Math.round).join(", ")}: arrow keys move it`);
  });
}

function handle(index) {
  const circle = shape("circle", { tabindex: "0", role: "button" });
  const move = (x, y) => { quad[index] = corner(rounded(x), rounded(y)); draw(); };
  circle.addEventListener("pointerdown", (event) => { circle.setPointerCapture(event.pointerId); event.preventDefault(); circle.focus(); });
  circle.addEventListener("pointermove", (event) => {
    if (!circle.hasPointerCapture(event.pointerId)) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform($("edit-corners").getScreenCTM().inverse());
    move(at.x, at.y);
  });
  circle.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    const far = event.shiftKey ? 10 : 1;
    move(quad[index][0] + far * step[0], quad[index][1] + far * step[1]);
    event.preventDefault();
  });
  return circle;
}

const change = attempt(async () => {
  const mine = photo;
  await busy(async () => {
    $("edit-status").textContent = "Matching the font, painting…";
    let found;
    try {
      found = await send(`/api/photos/${mine.key}/edit`, { quad, text: $("edit-text").value, old: $("edit-old").value, width: $("edit-width").value, align: $("edit-align").value });
    } catch (error) { $("edit-status").textContent = ""; throw error; }
    if (mine !== photo) return;
    const read = found.read === null ? "not read, there is no OCR"
      : found.is_read === null ? "not judged, OCR has no such letters"
      : found.is_read === false ? `OCR reads "${found.read}", which is something else: look closely`
      : `OCR reads "${found.read}" (${found.score.toFixed(2)})`;
    $("edit-status").textContent = `${found.text} in ${found.font}, ${found.seconds.toFixed(1)} s; ${read}`;
    $("edit-after").src = `/api/photos/${mine.key}/after.jpg?${found.edit}`;
    $("edit-after").hidden = false;
    $("edit-save").href = `/api/photos/${mine.key}/file`;
    $("edit-command").textContent = ["siman-synth edit", found.photo, ...found.options.map(([name, value]) => `--${name} ${value}`)].join(" ");
    $("edit-how").hidden = $("edit-compare").hidden = false;
    $("edit-slider").value = 100;
    slide();
  });
});

function slide() {
  $("edit-after").style.clipPath = `inset(0 ${100 - $("edit-slider").value}% 0 0)`;
  // The corners would lie over what is to be looked at: they come back when the photo is touched.
  $("edit-photo").classList.toggle("done", !$("edit-compare").hidden);
}

const keep = attempt(async () => {
  await send(`/api/photos/${photo.key}/keep`, {});
  $("edit-old").value = $("edit-text").value = "";
  fresh();
  slide();
  await busy(find);
  // The button that was pressed is hidden now.
  if (document.activeElement === document.body) ($("edit-corners").querySelector(".word") || $("edit-old")).focus();
});

document.addEventListener("DOMContentLoaded", () => {
  $("photo").addEventListener("change", () => bring($("photo").files[0]));
  $("edit-form").addEventListener("submit", (event) => { event.preventDefault(); change(); });
  $("edit-slider").addEventListener("input", slide);
  $("edit-keep").addEventListener("click", keep);
  new ResizeObserver(() => { if (photo) draw(); }).observe($("edit-photo"));
  const panel = $("edit");
  for (const kind of ["dragover", "dragleave", "drop"]) panel.addEventListener(kind, (event) => {
    event.preventDefault();
    panel.classList.toggle("over", kind === "dragover");
    if (kind === "drop") bring(event.dataTransfer.files[0]);
  });
});
