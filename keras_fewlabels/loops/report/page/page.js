// The page is complete without this script, which adds what a click can show.
const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 44, right: 12, top: 10, bottom: 34 };
const HEIGHT = 260;
const MANY_POINTS = 60;
let cellImages = [];

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// The images of a cell of the confusion matrix.
function imagesOf(cell) {
  const [truth, predicted] = [Number(cell.dataset.true), Number(cell.dataset.predicted)];
  return data.examples.filter((each) => each.true === truth && each.predicted === predicted);
}

function nameOf(cell) {
  const [truth, predicted] = [data.classes[cell.dataset.true], data.classes[cell.dataset.predicted]];
  return truth === predicted ? `${truth}, predicted rightly` : `${truth}, predicted as ${predicted}`;
}

function addButtons() {
  for (const cell of document.querySelectorAll("[data-true]")) {
    const count = cell.textContent;
    if (!count || !imagesOf(cell).length) continue;
    const button = element("button", { type: "button", textContent: count });
    button.setAttribute("aria-label", `${count} images of ${nameOf(cell)}`);
    button.setAttribute("aria-pressed", "false");
    button.onclick = () => showCell(cell);
    button.onkeydown = (event) => moveFocus(event, cell);
    cell.replaceChildren(button);
  }
}

// The arrow keys go to the next cell with images.
function moveFocus(event, cell) {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!steps) return;
  const rows = [...cell.closest("tbody").rows];
  let [row, column] = [rows.indexOf(cell.parentElement) + steps[0], cell.cellIndex + steps[1]];
  while (rows[row] && rows[row].cells[column]) {
    const button = rows[row].cells[column].querySelector("button");
    if (button && button.offsetParent) { button.focus(); event.preventDefault(); return; }
    row += steps[0];
    column += steps[1];
  }
}

function press(chosen) {
  for (const button of document.querySelectorAll("[data-true] button")) {
    button.setAttribute("aria-pressed", String(button.parentElement === chosen));
  }
}

function showCell(cell) {
  press(cell);
  cellImages = imagesOf(cell);
  const count = Number(cell.textContent);
  const images = count === 1 ? "1 image" : `${count} images`;
  find("cell-name").textContent = `${images} of ${nameOf(cell)}`;
  find("cell-note").textContent = cellImages.length < count ? `${cellImages.length} of them are in this page.` : "";
  find("cell").hidden = false;
  find("close").onclick = () => { closeCell(); cell.firstChild.focus(); };
  drawCell();
  find("cell").scrollIntoView({ block: "nearest" });
}

function closeCell() {
  press(null);
  find("cell").hidden = true;
}

function drawCell() {
  const sign = Number(find("sort").value);
  cellImages.sort((one, other) => sign * (one.confidence - other.confidence));
  find("cell-images").replaceChildren(...cellImages.map((each) => {
    const picture = thumbnail(each, each.name);
    const link = each.href ? element("a", { href: each.href }, picture) : picture;
    const percent = `${(100 * each.confidence).toFixed(0)} %`;
    return element("figure", {}, link, element("figcaption", {}, percent, element("span", { textContent: each.name, title: each.name })));
  }));
}

// Classes by a part of their name.
function search() {
  const wanted = find("search").value.trim().toLowerCase();
  const names = new Set();
  for (const row of document.querySelectorAll("[data-name]")) {
    row.hidden = !row.dataset.name.toLowerCase().includes(wanted);
    if (!row.hidden) names.add(row.dataset.name);
  }
  // Long lists of classes may be folded.
  if (wanted) for (const list of document.querySelectorAll(".of-classes details")) list.open = true;
  find("found").textContent = wanted && !names.size ? "None has this in its name." : "";
}

// Curves.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= 0.999 * rough);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n += 1) found.push(Number((n * step).toPrecision(10)));
  return found;
}

function limits(numbers, room) {
  let [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const extra = (high - low) * room || Math.abs(high) * 0.1 || 1;
  return [low - extra, high + extra];
}

function scales(chart, width) {
  const values = chart.series.flatMap((each) => each.values).filter(Boolean);
  const stops = chart.stops.map(([x]) => x);
  let [low, high] = limits(values.flatMap(([y, , ...interval]) => [y, ...interval]), 0.06);
  let [first, last] = chart.steps ? [0, stops.at(-1) * 1.02] : limits(stops, 0.02);
  if (chart.picture === "reliability") [low, high, first, last] = [-3, 103, -1, 101];
  const [inner, height] = [width - MARGIN.left - MARGIN.right, HEIGHT - MARGIN.top - MARGIN.bottom];
  return {
    xs: ticks(first, last, width / 90).filter((x) => chart.x !== "epoch" || x % 1 === 0),
    ys: ticks(low, high, 5),
    x: (x) => MARGIN.left + ((x - first) / (last - first)) * inner,
    y: (y) => MARGIN.top + ((high - y) / (high - low)) * height,
  };
}

function axes(chart, scale, width) {
  const bottom = HEIGHT - MARGIN.bottom;
  const line = (x1, y1, x2, y2) => drawn("line", { x1, y1, x2, y2, class: "axis" });
  const label = (text, x, y, anchor) => drawn("text", { x, y, "text-anchor": anchor }, String(text));
  return [
    ...scale.ys.flatMap((y) => [line(MARGIN.left, scale.y(y), width - MARGIN.right, scale.y(y)), label(y, MARGIN.left - 6, scale.y(y) + 4, "end")]),
    ...scale.xs.map((x) => label(x, scale.x(x), bottom + 16, "middle")),
    label(chart.x, width - MARGIN.right, HEIGHT - 4, "end"),
  ];
}

function curve(series, chart, scale) {
  const known = chart.stops.map(([x], n) => [x, series.values[n]]).filter(([, value]) => value);
  const points = known.map(([x, [y, , ...ends]]) => [scale.x(x), scale.y(y), ends.map(scale.y)]);
  const path = points.map(([x, y], n) => (n === 0 ? `M${x} ${y}` : chart.steps ? `H${x}V${y}` : `L${x} ${y}`)).join("");
  const shapes = [drawn("path", { d: path, class: series.dashed ? "dashed" : "" })];
  for (const [x, y, [low, high]] of series.dashed || points.length > MANY_POINTS ? [] : points) {
    shapes.push(drawn("circle", { cx: x, cy: y, r: 4 }));
    if (high !== undefined) shapes.push(drawn("line", { x1: x, x2: x, y1: low, y2: high, class: "interval" }));
  }
  return drawn("g", { class: `c${series.color % 8}` }, ...shapes);
}

function swatch(series) {
  const path = drawn("path", { d: "M0 5H24", class: series.dashed ? "dashed" : "" });
  return drawn("svg", { viewBox: "0 0 24 10", class: `c${series.color % 8}`, "aria-hidden": "true" }, path);
}

function addChart(chart) {
  const svg = drawn("svg", { height: HEIGHT, tabindex: 0, role: "slider", "aria-label": `${chart.title}: values`, "aria-valuemin": 1, "aria-valuemax": chart.stops.length });
  const name = element("p");
  const texts = chart.series.map(() => element("span"));
  const keys = chart.series.map((series, n) => element("li", {}, swatch(series), series.name, texts[n]));
  const figure = element("figure", { className: "chart" }, element("figcaption", { textContent: chart.title }), svg, name, element("ul", {}, ...keys));
  let [stop, scale, cursor, width] = [chart.stops.length - 1, null, null, 0];

  function show(number) {
    stop = Math.min(Math.max(number, 0), chart.stops.length - 1);
    const [x, said] = chart.stops[stop];
    const values = chart.series.map((series) => (series.values[stop] ? series.values[stop][1] : ""));
    name.textContent = said;
    texts.forEach((span, n) => { span.textContent = values[n] && `: ${values[n]}`; });
    svg.setAttribute("aria-valuenow", stop + 1);
    svg.setAttribute("aria-valuetext", [said, ...chart.series.map((series, n) => values[n] && `${series.name} ${values[n]}`)].filter(Boolean).join("; "));
    cursor.setAttribute("x1", scale.x(x));
    cursor.setAttribute("x2", scale.x(x));
  }

  function draw() {
    if (svg.clientWidth === width) return;
    width = svg.clientWidth;
    scale = scales(chart, width);
    cursor = drawn("line", { class: "cursor", y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom });
    svg.replaceChildren(...axes(chart, scale, width), ...chart.series.map((series) => curve(series, chart, scale)), cursor);
    show(stop);
  }

  function point(event) {
    const x = event.clientX - svg.getBoundingClientRect().left;
    const distances = chart.stops.map((each) => Math.abs(scale.x(each[0]) - x));
    show(distances.indexOf(Math.min(...distances)));
  }

  svg.onpointermove = svg.onpointerdown = point;
  svg.onkeydown = (event) => {
    const next = { ArrowLeft: stop - 1, ArrowDown: stop - 1, ArrowRight: stop + 1, ArrowUp: stop + 1, Home: 0, End: chart.stops.length - 1 }[event.key];
    if (next === undefined) return;
    show(next);
    event.preventDefault();
  };
  const picture = document.querySelector(`img.${chart.picture}`);
  picture.classList.add("drawn");
  picture.parentElement.before(figure);
  new ResizeObserver(draw).observe(svg);
  draw();
}

document.documentElement.className = "with-script";
addButtons();
find("sort") && (find("sort").onchange = drawCell);
if (find("tools")) {
  find("tools").hidden = false;
  find("search").oninput = search;
}
for (const chart of data.charts) if (document.querySelector(`img.${chart.picture}`)) addChart(chart);
// Paper has no folds.
window.onbeforeprint = () => document.querySelectorAll("details").forEach((each) => { each.open = true; });
