const PER_PAGE = 60;
const KEYS = "123456789abcdefghijklmnopqrstuvwxyz";
// Without answers in the data, the person types the names of the classes.
const FREE = data.answers.length === 0;
const MANY = data.answers.length > KEYS.length;
const keyOf = (number) => data.answers[number].key || KEYS[number] || "";

// What is kept: answers by image, and the order in which they were given.
let answers = {};
let given = [];
let shown = [];
let current = 0;

function restore() {
  try {
    const kept = JSON.parse(localStorage.getItem(data.key)) || {};
    answers = kept.answers || {};
    given = kept.given || [];
    current = kept.current || 0;
    if (FREE) data.answers = kept.added || [];
    find("person").value = kept.person || "";
  } catch {
    // Without storage the page works until it is closed.
  }
}

function keep() {
  try {
    const person = find("person").value;
    localStorage.setItem(data.key, JSON.stringify({ answers, given, current, person, added: FREE ? data.answers : [] }));
  } catch {}
}

function isShown(number) {
  const item = data.items[number];
  const state = find("state").value;
  const [low, high] = find("confidence").value.split(" ").map(Number);
  const group = find("group").value;
  return (state === "all" || (state === "done") === (number in answers))
    && (!group || item.group === group)
    && item.confidence >= low && (item.confidence < high || high === 1);
}

function filter() {
  shown = data.items.map((_, number) => number).filter(isShown);
  if (!shown.includes(current) && shown.length) current = shown[0];
  draw();
}

function go(steps) {
  const place = shown.indexOf(current) + steps;
  if (place < 0 || place >= shown.length) return;
  current = shown[place];
  draw();
}

function nextOpen() {
  const start = shown.indexOf(current);
  const later = [...shown.slice(start + 1), ...shown.slice(0, start)];
  const open = later.find((number) => !(number in answers));
  if (open !== undefined) current = open;
}

function answer(number) {
  if (!shown.includes(current)) return;
  const before = answers[current];
  const at = new Date().toISOString().slice(0, 19) + "Z";
  given.push([current, before === undefined ? null : before]);
  answers[current] = { answer: number, by: find("person").value, at };
  say(`${data.items[current].name}: ${data.answers[number].name}`);
  nextOpen();
  draw();
  keep();
}

function undo() {
  if (!given.length) return;
  const [number, before] = given.pop();
  if (before === null) delete answers[number];
  else answers[number] = before;
  current = number;
  say(`${data.items[number].name}: answer taken back`);
  if (shown.includes(number)) draw();
  else filter();
  keep();
}

function say(text) {
  find("said").textContent = text;
}

function draw() {
  const total = data.items.length;
  const done = Object.keys(answers).length;
  find("progress").value = total ? done / total : 0;
  find("count").textContent = `${done} of ${total}`;
  find("undo").disabled = !given.length;
  drawCurrent();
  drawGrid();
}

function drawCurrent() {
  const item = data.items[current];
  const isThere = shown.length > 0;
  for (const button of find("answers").children) {
    const chosen = answers[current] && answers[current].answer === Number(button.value);
    button.setAttribute("aria-pressed", String(Boolean(isThere && chosen)));
    button.disabled = !isThere;
  }
  find("image").hidden = !isThere;
  find("caption").textContent = isThere ? `${item.name}: ${item.caption}` : "No image is shown.";
  if (!isThere) return;
  find("image").src = item.src;
  find("image").alt = item.name;
  find("image").className = data.small ? "small" : "";
  find("pair").hidden = !item.original;
  if (item.original) {
    find("other").src = item.original.src;
    find("other").className = find("image").className;
    find("other-name").textContent = item.original.name;
  }
  if (item.href) find("original").href = item.href;
  else find("original").removeAttribute("href");
}

function drawGrid() {
  const page = Math.max(0, Math.floor(shown.indexOf(current) / PER_PAGE));
  const numbers = shown.slice(page * PER_PAGE, (page + 1) * PER_PAGE);
  find("grid").replaceChildren(...numbers.map(cell));
  const pages = Math.ceil(shown.length / PER_PAGE) || 1;
  find("page").textContent = `Page ${page + 1} of ${pages}`;
  find("before").disabled = page === 0;
  find("after").disabled = page + 1 >= pages;
}

function cell(number) {
  const item = data.items[number];
  const answered = number in answers ? data.answers[answers[number].answer].name : "";
  const button = element("button", { type: "button" }, thumbnail(item),
    element("span", { textContent: item.group }),
    element("span", { textContent: answered, className: "answer" }));
  button.setAttribute("aria-label", `${item.name}, ${item.caption}${answered && ": " + answered}`);
  button.setAttribute("aria-current", String(number === current));
  button.onclick = () => { current = number; draw(); keep(); };
  return button;
}

// What a spreadsheet would run as a formula begins with an apostrophe.
function safe(text) {
  return /^[\s']*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
}

function table() {
  const quoted = (text) => /[",\n\r;\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const lines = data.rows.map((cells, number) => {
    const found = answers[number];
    const said = found ? [data.answers[found.answer].cell, found.by, found.at] : ["", "", ""];
    return [cells[0], said[0], ...cells.slice(1), safe(said[1]), said[2]];
  });
  const [first, ...others] = data.columns;
  const heads = [first, data.column, ...others, "answered_by", "answered_at"];
  return [heads, ...lines].map((line) => line.map(quoted).join(",") + "\n").join("");
}

function download() {
  const url = URL.createObjectURL(new Blob([table()], { type: "text/csv" }));
  element("a", { href: url, download: data.file }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

async function save() {
  try {
    const file = await window.showSaveFilePicker({ suggestedName: data.file });
    const stream = await file.createWritable();
    await stream.write(table());
    await stream.close();
    say(`${data.file} is saved`);
  } catch (error) {
    if (error.name !== "AbortError") download();
  }
}

function type() {
  const typed = find("typed").value.trim().toLowerCase();
  const names = data.answers.map((each) => each.name.toLowerCase());
  let number = names.indexOf(typed);
  if (number < 0 && !FREE) number = names.findIndex((name) => typed && name.startsWith(typed));
  if (number < 0 && FREE && typed) {
    const name = find("typed").value.trim();
    number = data.answers.push({ name, cell: safe(name) }) - 1;
    addButton(data.answers[number], number);
  }
  if (number < 0) { say("No class begins so"); return; }
  find("typed").value = "";
  if (FREE) find("typed").blur();
  answer(number);
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target.matches("input, select");
  if (event.target === find("typed") && event.key === "Enter") return type();
  if (event.key === "Escape") return event.target.blur();
  if (isTyping) return;
  const number = MANY ? -1 : data.answers.findIndex((_, n) => keyOf(n) === event.key.toLowerCase());
  if (number >= 0) answer(number);
  else if (event.key === "ArrowRight" || event.key === "ArrowDown") go(1);
  else if (event.key === "ArrowLeft" || event.key === "ArrowUp") go(-1);
  else if (event.key === "Backspace") undo();
  else if (event.key === "/" && (MANY || FREE)) find("typed").focus();
  else return;
  event.preventDefault();
}

function addButton(each, number) {
  const key = MANY ? "" : keyOf(number);
  const button = element("button", { type: "button", value: number }, each.name + " ");
  if (key) button.append(element("kbd", { textContent: key }));
  button.onclick = () => answer(number);
  find("answers").append(button);
  find("names").append(element("option", { value: each.name }));
}

find("typing").hidden = !MANY && !FREE;
find("tools").open = window.innerWidth > 736;
for (const group of [...new Set(data.items.map((item) => item.group))].filter(Boolean).sort()) {
  find("group").append(element("option", { value: group, textContent: group }));
}
for (const id of ["state", "group", "confidence"]) find(id).onchange = filter;
find("person").onchange = keep;
find("undo").onclick = undo;
find("download").onclick = download;
find("save").onclick = save;
find("save").hidden = !window.showSaveFilePicker;
find("before").onclick = () => go(-PER_PAGE - (shown.indexOf(current) % PER_PAGE));
find("after").onclick = () => go(PER_PAGE - (shown.indexOf(current) % PER_PAGE));
document.addEventListener("keydown", press);
restore();
data.answers.forEach(addButton);
filter();
