"use strict";
// All text that came from elsewhere enters the page as text, never as markup.

const $ = (id) => document.getElementById(id);
const PAGE = 60;
const STYLES = 90;

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") element.textContent = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter(Boolean));
  return element;
}

let complainer = null;

// Who listens is told of every change, even of a text by itself.
function tellOnce(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// What goes well takes back its own complaint alone: another's has not been read yet.
function complain(text, who = null, again = true) {
  complainer = who;
  if (again) $("problem").textContent = "";
  tellOnce($("problem"), text);
  $("problem").hidden = !text;
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The studio does not answer. Is it still running in the terminal?");
  }
  const type = answer.headers.get("content-type") || "";
  const found = type.startsWith("application/json") ? await answer.json() : { problem: await answer.text() };
  if (!answer.ok) throw new Error(found.problem || `The studio answered ${answer.status}.`);
  return found;
}

const send = (path, values) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(values) });

// What asks again and again by itself complains of one thing once.
function attempt(work, again = true) {
  return async (...values) => {
    try {
      await work(...values);
      if (complainer === work) complain("");
    } catch (error) {
      complain(error.message, work, again);
    }
  };
}

// A list is one stop of the Tab key, however long it is: arrow keys, Home and End go on in it.
function roam(list, items) {
  const all = () => [...list.querySelectorAll(items)];
  const stop = (chosen) => {
    for (const item of all()) for (const part of [item, ...item.querySelectorAll("button")]) part.tabIndex = item === chosen ? 0 : -1;
  };
  const row = (item, way) => {
    const here = item.getBoundingClientRect();
    const far = (other) => { const there = other.getBoundingClientRect(); return [way * (there.top - here.top), Math.abs(there.left - here.left)]; };
    const beyond = all().filter((other) => far(other)[0] > here.height / 2);
    return beyond.sort((one, other) => far(one)[0] - far(other)[0] || far(one)[1] - far(other)[1])[0];
  };
  list.addEventListener("focusin", (event) => { const item = event.target.closest(items); if (item) stop(item); });
  list.addEventListener("keydown", (event) => {
    const item = event.target.closest(items);
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const found = all();
    const at = found.indexOf(item);
    const next = { ArrowRight: () => found[at + 1], ArrowLeft: () => found[at - 1], ArrowDown: () => row(item, 1), ArrowUp: () => row(item, -1), Home: () => found[0], End: () => found.at(-1) }[event.key];
    if (!next) return;
    event.preventDefault();
    next()?.focus();
  });
  return () => { const found = all(); stop(found.find((item) => item.getAttribute("tabindex") === "0") || found[0]); };
}

function later(work, wait) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(work, wait); };
}

function picture(source, alt, boxes, shown) {
  const image = make("img", { src: source, alt, loading: "lazy", decoding: "async" });
  const frame = make("div", { class: "picture" }, image);
  if (boxes && shown) {
    const draw = () => {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", `0 0 ${image.naturalWidth} ${image.naturalHeight}`);
      svg.setAttribute("preserveAspectRatio", "none");
      for (const [x0, y0, x1, y1] of boxes) {
        const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        for (const [key, value] of [["x", x0], ["y", y0], ["width", x1 - x0], ["height", y1 - y0]]) box.setAttribute(key, value);
        svg.append(box);
      }
      frame.append(svg);
    };
    if (image.complete && image.naturalWidth) draw(); else image.addEventListener("load", draw, { once: true });
  }
  return frame;
}

function save(name, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/* Write */

const chosen = new Set();
let seed = 0;
let painting = false;
let stale = false;
let last = null;
let weights = "";

function wordsTyped() {
  return $("words").value.split("\n").map((word) => word.trim()).filter(Boolean);
}

const paint = attempt(async () => {
  const words = wordsTyped();
  if (!words.length) { last = null; $("painted").replaceChildren(); tellOnce($("write-status"), "Type a word."); return; }
  const started = performance.now();
  const wish = { words, styles: [...chosen], font: $("font").value, layout: $("layout").value, damage: $("damage").value, seed };
  // A bar for what takes longer than a second: before, it would flicker at every key.
  const slow = setTimeout(() => { $("write-progress").hidden = false; }, 1000);
  try { last = await send("/api/write", wish); } finally { clearTimeout(slow); $("write-progress").hidden = true; }
  show();
  const took = Math.round(performance.now() - started);
  const failed = last.words.filter((word) => word.problem).length;
  $("write-status").textContent = `${last.words.length - failed} words in ${took} ms (painting: ${Math.round(last.seconds * 1000)} ms; weights: ${weights})${failed ? `; ${failed} cannot be written` : ""}`;
});

// One wish is under way at a time: who types faster than words are painted waits for the newest, not for all.
async function write() {
  stale = true;
  if (painting) return;
  painting = true;
  while (stale) { stale = false; await paint(); }
  painting = false;
}

function show() {
  if (!last) return;
  $("painted").replaceChildren(...last.words.map((word) =>
    make("figure", {},
      word.image && picture(`data:${word.kind};base64,${word.image}`, word.text, word.boxes, $("write-boxes").checked),
      make("figcaption", {}, make("b", { text: word.text }), make("br"),
        word.problem ? make("span", { class: "wrong", text: word.problem }) : make("span", { text: word.font })))));
  for (const key of ["toml", "python"]) $(key).textContent = last[key];
  $("command").textContent = ["siman-synth generate", ...last.options.map(([name, value]) => `--${name} ${value}`)].join(" ");
}

let nextStyle = 0;
let styleRequest = 0;
let sorted = null;
const roamStyles = roam($("styles"), "button");

const moreStyles = attempt(async () => {
  if (nextStyle === null) return;
  const asked = document.activeElement;
  const request = ++styleRequest;
  const query = new URLSearchParams({ start: nextStyle, count: STYLES, contains: $("style-filter").value });
  const page = await ask(`/api/styles?${query}`);
  if (request !== styleRequest) return;
  // Two orders in one list would show some crops twice and others never.
  if (nextStyle && page.ordered !== sorted) { restartStyles(); return; }
  sorted = page.ordered;
  nextStyle = page.next;
  $("more-styles").hidden = page.next === null;
  tellSorting(page);
  $("styles").append(...page.crops.map((crop) => make("button", {
    type: "button", title: crop.name, "aria-label": `Style ${crop.name}`, "aria-pressed": String(chosen.has(crop.index)), "data-index": crop.index,
    onclick: (event) => {
      const button = event.currentTarget;
      if (chosen.has(crop.index)) chosen.delete(crop.index); else chosen.add(crop.index);
      button.setAttribute("aria-pressed", String(chosen.has(crop.index)));
      write();
    },
  }, make("img", { src: `/api/styles/${crop.index}.jpg`, alt: "", loading: "lazy", decoding: "async" }))));
  roamStyles();
  if (asked.hidden && page.crops.length) $("styles").children[$("styles").childElementCount - page.crops.length].focus();
});

function tellSorting(state) {
  const sorting = state.ordered ? "as stored" : `as stored; sorting by look: ${state.looked_at} of ${state.total}`;
  $("style-count").textContent = `${state.total} crops, ${sorted ? "by look" : sorting}`;
  $("sort-styles").hidden = sorted !== false || !state.ordered;
}

const pollStyles = attempt(async () => {
  if (sorted !== false || $("write").hidden || !$("sort-styles").hidden) return;
  const { sorting } = await ask("/api/state");
  if (sorted !== false) return;
  tellSorting(sorting);
  // Nobody's crops move away from under the pointer: who has begun to choose asks for the new order.
  if (sorting.ordered && nextStyle === STYLES && !chosen.size && !$("styles").matches(":focus-within, :hover")) restartStyles();
}, false);

function restartStyles() {
  nextStyle = 0;
  $("styles").replaceChildren();
  moreStyles();
}

/* Look */

let place = 0;
let matches = 0;
let dataset = null;
let fitReport = null;
let lookRequest = 0;
let filled = false;

const roamSamples = roam($("samples"), "figure");

const marks = () => JSON.parse(localStorage.getItem(`marks ${dataset}`) || "{}");

function mark(name, kind) {
  const all = marks();
  if (!kind || all[name] === kind) delete all[name]; else all[name] = kind;
  localStorage.setItem(`marks ${dataset}`, JSON.stringify(all));
  countMarks();
  return all[name] || "";
}

function countMarks() {
  const kinds = Object.values(marks());
  $("keep-count").textContent = kinds.filter((kind) => kind === "keep").length;
  $("drop-count").textContent = kinds.filter((kind) => kind === "drop").length;
}

// Marks are work, and only those on this page of samples are in sight.
function forgetMarks() {
  const count = Object.keys(marks()).length;
  if (!count || !confirm(`Forget ${count === 1 ? "the mark of one sample" : `the marks of ${count} samples`}? They cannot be brought back.`)) return;
  localStorage.removeItem(`marks ${dataset}`);
  countMarks();
  look();
}

const saveMarks = attempt(async (kind) => {
  const names = Object.entries(marks()).filter(([, value]) => value === kind).map(([name]) => name);
  if (!names.length) throw new Error(`No sample is marked "${kind}".`);
  save(`${kind}.txt`, names.join("\n") + "\n");
});

const MARKED = { keep: "kept", drop: "dropped", "": "not marked" };

function card(sample) {
  if (sample.problem) return make("figure", { "aria-label": sample.problem }, make("figcaption", {}, make("span", { class: "wrong", text: sample.problem })));
  const about = [sample.font, sample.style, sample.layout].filter(Boolean).join(" · ");
  const figure = make("figure", { class: marks()[sample.name] || "", "data-name": sample.name },
    picture(`/api/samples/${sample.number}`, sample.label || sample.name, sample.boxes, $("look-boxes").checked),
    make("figcaption", {}, make("b", { text: sample.label ?? "(no label)" }), make("br"),
      sample.read !== null && sample.read !== sample.label ? make("span", { class: "wrong", text: `read: ${sample.read} ` }) : null,
      sample.score !== null ? make("span", { text: `score ${sample.score.toFixed(2)} ` }) : null,
      make("span", { text: about })));
  const name = () => figure.setAttribute("aria-label", `${sample.label ?? "(no label)"}, ${MARKED[figure.className]}`);
  name();
  const set = (kind) => {
    figure.className = mark(sample.name, kind);
    name();
    $("marked").textContent = `${sample.label ?? sample.name}: ${MARKED[figure.className]}`;
    for (const button of figure.querySelectorAll(".marks button")) button.setAttribute("aria-pressed", String(button.dataset.kind === figure.className));
  };
  figure.append(make("div", { class: "marks" }, ...["keep", "drop"].map((kind) => make("button", {
    type: "button", "data-kind": kind, "aria-pressed": String(figure.className === kind), text: kind === "keep" ? "Keep" : "Drop", onclick: () => set(kind),
  }))));
  figure.addEventListener("keydown", (event) => {
    const kind = { k: "keep", x: "drop", u: "" }[event.key.toLowerCase()];
    if (kind !== undefined && !event.ctrlKey && !event.metaKey) { set(kind); event.preventDefault(); }
  });
  return figure;
}

const look = attempt(async () => {
  const request = ++lookRequest;
  const asked = document.activeElement;
  const query = new URLSearchParams({ start: place, count: PAGE });
  for (const [key, value] of new FormData($("filters"))) if (value) query.set(key, value);
  const page = await ask(`/api/samples?${query}`);
  if (request !== lookRequest) return;
  matches = page.matches;
  $("samples").replaceChildren(...page.samples.map(card));
  if (!page.samples.length) $("samples").append(make("p", { class: "hint", text: "No sample passes these filters." }));
  roamSamples();
  $("place").textContent = matches ? `${place + 1} to ${place + page.samples.length} of ${matches}` : "none";
  $("previous").disabled = place === 0;
  $("next").disabled = place + PAGE >= matches;
  if (asked.disabled) $(asked === $("next") ? "previous" : "next").focus();
  tell(page.state);
  await showReal();
});

function tell(state) {
  const parts = [`${dataset}: ${state.total} samples`];
  const busy = state.indexed < state.total || state.reading;
  if (state.problem) parts.push(state.problem);
  if (state.indexed < state.total) parts.push(`filters see ${state.indexed} so far`);
  if (state.read) parts.push(`${state.read} read by OCR`);
  tellOnce($("look-status"), parts.join("; "));
  $("look-progress").hidden = !busy;
  $("look-progress").value = (state.indexed < state.total ? state.indexed : state.read) / Math.max(1, state.total);
  tellOnce($("read"), state.reading ? "Stop reading" : "Read all with OCR");
}

async function showReal() {
  const shown = $("look-real").checked;
  $("real").hidden = !shown;
  document.querySelector(".sides").classList.toggle("two", shown);
  if (!shown || $("real").childElementCount) return;
  const page = await ask("/api/styles?start=0&count=40");
  $("real").replaceChildren(...page.crops.map((crop) => make("figure", {}, picture(`/api/styles/${crop.index}.jpg`, crop.name), make("figcaption", { text: crop.name }))));
}

const poll = attempt(async () => {
  if (!dataset || $("look").hidden) return;
  const state = await ask("/api/state");
  tell(state.index);
  fillChoices(state);
}, false);

function fillChoices(state) {
  if (filled && state.index.indexed < state.index.total) return;
  for (const [name, values] of Object.entries(state.choices)) {
    const select = $("filters").elements[name];
    const before = select.value;
    select.replaceChildren(make("option", { value: "", text: "Any" }), ...values.map((value) => make("option", { value, text: value })));
    select.value = before;
  }
  filled = true;
}

/* Evaluate */

const compare = attempt(async () => {
  const found = await ask("/api/reports");
  $("evaluate-hint").textContent = found.names.length
    ? "The numbers of each report; the pictures are in its report.html."
    : "No report was given. Make one with siman-synth evaluate, then start the studio with --report FOLDER.";
  if (!found.names.length) return;
  const form = (value) => (value === null ? "" : Number.isInteger(value) ? String(value) : value.toPrecision(4));
  $("reports").replaceChildren(
    make("thead", {}, make("tr", {}, make("th", { text: "" }), ...found.names.map((name) => make("th", { scope: "col", text: name })))),
    make("tbody", {}, ...found.rows.map((row) => make("tr", {}, make("th", { scope: "row", text: row.key }), ...row.values.map((value) => make("td", { text: form(value) }))))));
});

const copy = attempt(async (button) => {
  const source = $(button.dataset.copy);
  if (navigator.clipboard) await navigator.clipboard.writeText(source.textContent);
  else {
    // Browsers keep the clipboard from pages that come from another machine without encryption.
    getSelection().selectAllChildren(source);
    if (!document.execCommand("copy")) throw new Error("This browser does not let the page copy. The text is selected: press Ctrl-C.");
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
});

/* All */

function open(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const selected = tab.getAttribute("aria-controls") === name;
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
    $(tab.getAttribute("aria-controls")).hidden = !selected;
  }
  history.replaceState(null, "", `#${name}`);
  if (name === "look") {
    if (dataset) look(); else $("look-status").textContent = "No data set was given. Start the studio with --dataset FOLDER.";
    for (const part of document.querySelectorAll("#look .controls, #look .row, #look .hint")) part.hidden = !dataset;
  }
  if (name === "evaluate") compare();
  if (name === "fit" && fitReport && !$("fit-report").src) $("fit-report").src = fitReport;
}

const start = attempt(async () => {
  const state = await ask("/api/state");
  dataset = state.dataset;
  weights = state.weights;
  fitReport = state.fit_report;
  $("fit-report").hidden = !fitReport;
  $("fit-hint").textContent = fitReport
    ? `What was found for ${state.model}; words are written with its recipe.`
    : state.model ? `${state.model} has no report.`
    : "No model was given. Make one with siman-synth fit, then start the studio with --model FOLDER.";
  $("font").append(...state.families.map((name) => make("option", { value: name, text: name })));
  const spoken = (name) => name.replaceAll("_", " ");
  $("layout").append(...state.layouts.map((name) => make("option", { value: name, text: spoken(name) })));
  $("damage").append(...state.damages.map((name) => make("option", { value: name, text: name })));
  if (dataset) { fillChoices(state); countMarks(); }
  $("rejected").hidden = !state.rejected;
  $("rejected").addEventListener("toggle", () => { if ($("rejected").open) $("rejected-picture").src = state.rejected; });
  open(["write", "look", "edit", "fit", "evaluate"].find((name) => `#${name}` === location.hash) || "write");
  await moreStyles();
  await write();
});

document.addEventListener("DOMContentLoaded", () => {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  for (const tab of tabs) {
    tab.addEventListener("click", () => open(tab.getAttribute("aria-controls")));
    tab.addEventListener("keydown", (event) => {
      const at = tabs.indexOf(tab);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
      if (to !== undefined) { const next = tabs.at(to % tabs.length); next.focus(); next.click(); event.preventDefault(); }
    });
  }
  $("words").addEventListener("input", later(write, 60));
  for (const id of ["font", "layout", "damage"]) $(id).addEventListener("change", write);
  $("again").addEventListener("click", () => { seed += 1000; write(); });
  $("write-boxes").addEventListener("change", show);
  $("style-filter").addEventListener("input", later(restartStyles, 200));
  $("clear-styles").addEventListener("click", () => { chosen.clear(); for (const button of document.querySelectorAll(".styles button")) button.setAttribute("aria-pressed", "false"); write(); });
  $("more-styles").addEventListener("click", moreStyles);
  $("sort-styles").addEventListener("click", restartStyles);
  new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting) && nextStyle) moreStyles(); }).observe($("more-styles"));
  for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button));
  for (const button of document.querySelectorAll("[data-save]")) button.addEventListener("click", () => {
    const texts = { "words.txt": wordsTyped().join("\n") + "\n", "styles.txt": last && last.style_list, "look.toml": last && last.toml };
    if (texts[button.dataset.save]) save(button.dataset.save, texts[button.dataset.save]);
  });
  const restart = later(() => { place = 0; look(); }, 150);
  $("filters").addEventListener("input", restart);
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("look-boxes").addEventListener("change", look);
  $("look-real").addEventListener("change", attempt(showReal));
  $("previous").addEventListener("click", () => { place = Math.max(0, place - PAGE); look(); });
  $("next").addEventListener("click", () => { place += PAGE; look(); });
  $("read").addEventListener("click", attempt(async () => { tell(await send("/api/read", { stop: $("read").textContent.startsWith("Stop") })); }));
  $("save-keep").addEventListener("click", () => saveMarks("keep"));
  $("save-drop").addEventListener("click", () => saveMarks("drop"));
  $("forget").addEventListener("click", forgetMarks);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") complain(""); });
  setInterval(poll, 1500);
  setInterval(pollStyles, 1500);
  start();
});
