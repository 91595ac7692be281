/** A day to search by. A browser's own box writes dates in the browser's language: only its calendar is used. */
import { h } from './html.js';

const HOW = 'Напишите дату как 25.12.2026';

/** 25.12.2026 or 2026-12-25 as the latter; '' for what is no date. */
export function dayOf(text) {
  const parts = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text.trim());
  const iso = parts ? [parts[3], parts[2].padStart(2, '0'), parts[1].padStart(2, '0')].join('-') : text.trim();
  const real = /^\d{4}-\d\d-\d\d$/.test(iso) && !Number.isNaN(Date.parse(iso));
  return real && new Date(iso).toISOString().startsWith(iso) ? iso : '';
}

function said(iso) {
  return iso ? iso.split('-').reverse().join('.') : '';
}

/** A labelled box for a day, with the browser's calendar beside it; its value is sent as people write it. */
export function dayBox(name, label, iso) {
  const judge = () => text.setCustomValidity(!text.value.trim() || dayOf(text.value) ? '' : HOW);
  const text = h('input', {
    name, type: 'text', inputmode: 'numeric', maxlength: 10, placeholder: 'дд.мм.гггг', autocomplete: 'off',
    value: said(dayOf(iso)), input: judge,
  });
  const own = h('input', {
    type: 'date', tabindex: -1, 'aria-hidden': 'true',
    change() {
      if (own.value) text.value = said(own.value);
      judge();
    },
  });
  const open = h('button', {
    type: 'button', 'aria-label': `${label}: календарь`,
    click() {
      own.value = dayOf(text.value);
      own.showPicker();
    },
  }, '▾');
  return h('div', { class: 'orders-day' }, h('label', {}, label, text), h('span', {}, open, own));
}
