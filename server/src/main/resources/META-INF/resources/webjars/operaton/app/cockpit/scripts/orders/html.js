/** The only way by which these pages make elements. Every value becomes text or an attribute, never markup. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A table in a box that scrolls by itself, so that the page never does; on a phone each row is a card. */
export function table(caption, heads, rows, empty) {
  if (!rows.length) return h('p', { class: 'orders-empty' }, empty);
  const head = h('tr', {}, heads.map((text) => h('th', { scope: 'col' }, text)));
  const title = (head) => (head instanceof Node ? head.textContent : head);
  const body = rows.map((cells) => h('tr', {}, cells.map((cell, i) => h('td', { 'data-head': title(heads[i]) }, cell))));
  const name = h('caption', { class: 'orders-unseen' }, caption);
  return h('div', { class: 'orders-scroll' }, h('table', {}, name, h('thead', {}, head), h('tbody', {}, body)));
}

/** A part of a page with its heading; a closed one opens by a click. */
export function section(title, content, open = true) {
  return h('details', { open, class: 'orders-part' }, h('summary', {}, h('h2', {}, title)), content);
}
