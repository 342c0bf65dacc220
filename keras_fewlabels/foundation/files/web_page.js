"use strict";
// All names come from the data and become text, never markup.
const data = JSON.parse(document.getElementById("data").textContent);
const find = (id) => document.getElementById(id);

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Beside a text that says the same, the alternative is empty.
function thumbnail(item, alt = "") {
  return element("img", { src: item.src, alt, className: data.small ? "small" : "" });
}
