/** How moments, spans, sums and outcomes are said to people. Times are the plant's, whatever the browser's zone is. */
import config from '../config.js';
import { titleOf } from './model.js';

const zone = config.orderRoute.timeZone;
const moment = new Intl.DateTimeFormat('ru-RU', {
  timeZone: zone, day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit',
});
const day = new Intl.DateTimeFormat('ru-RU', { timeZone: zone, day: '2-digit', month: '2-digit', year: 'numeric' });

/** Outcomes by the end that the order reached, in the order in which they are offered. */
export const OUTCOMES = {
  End_Delivered: 'Отгружен и закрыт',
  End_RefusedByDirector: 'Отказ директора',
  End_PriceRejected: 'Цена не принята',
  End_Cancelled: 'Заказ отменён',
  End_Duplicate: 'Повтор заявки',
};

/** Where an order is: its outcome if it has one, else the step that its card shows. */
export function whereabouts(end, ends, stages, code) {
  if (end) return OUTCOMES[end] || ends.get(end) || end;
  const stage = [...stages.values()].find((known) => known.code && known.code === code);
  return stage ? stage.label : 'Заявка принята';
}

/** Values that no person types, by name and by the beginning of their name. */
const OWN = {
  orderKey: 'Номер заказа', initiator: 'Кто подал заявку', cardStage: 'Колонка карточки', portalPending: 'Карточка ждёт портала',
  discussion: 'Обсуждение на карточке', lateFlags: 'Отметки об опоздании', refundDue: 'Надо вернуть деньги',
  trackToken: 'Ссылка заказчика', closedAt: 'Закрыт', closingSummary: 'Итог', customerMessage: 'Текст для заказчика',
  cancelReason: 'Причина отмены', cancelledBy: 'Кто отменил', moveReason: 'Причина переноса', movedBy: 'Кто перенёс срок',
  correctReason: 'Причина исправления', correctedBy: 'Кто исправил', startKey: 'Защита от повтора',
};
const OF_STEP = { visit: 'Приход на шаг', due: 'Срок шага', done: 'Кто завершил шаг', refusal: 'Почему не приняты файлы шага' };

/** The title of a variable: its field's, or what it means that a program wrote it. */
export function titled(stages, variable) {
  if (OWN[variable]) return OWN[variable];
  const [, what, step] = /^(visit|due|done|refusal)_(.+)$/.exec(variable) || [];
  if (what) return `${OF_STEP[what]} «${stages.has(step) ? stages.get(step).name : step}»`;
  const [, file] = /^(.+)Info$/.exec(variable) || [];
  return file ? `Проверка файла «${titleOf(stages, file)}»` : titleOf(stages, variable);
}

export function at(text) {
  const value = text ? new Date(text) : null;
  return value && !Number.isNaN(value.getTime()) ? moment.format(value).replace(',', '') : '—';
}

export function date(text) {
  if (!text) return '—';
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? text.split('-').reverse().join('.') : day.format(new Date(text));
}

/** Calendar time between two moments. */
export function span(milliseconds) {
  const minutes = Math.round(Math.abs(milliseconds) / 60000);
  if (minutes === 0) return 'меньше минуты';
  if (minutes < 60) return `${minutes} мин`;
  if (minutes < 48 * 60) return `${decimal(minutes / 60)} ч`;
  return `${decimal(minutes / 1440)} дн.`;
}

function decimal(value) {
  return value.toFixed(1).replace(/\.0$/, '').replace('.', ',');
}

export function money(text) {
  const value = Number(text);
  return text && Number.isFinite(value) ? value.toLocaleString('ru-RU', { maximumFractionDigits: 2 }) + ' ₽' : '—';
}

export function size(bytes) {
  if (!Number.isFinite(bytes)) return '—';
  if (bytes < 1024) return `${bytes} байт`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} КБ`;
  return `${decimal(bytes / 1024 / 1024)} МБ`;
}

/** The start or the end of a day of the plant as the engine writes moments. */
export function dayEdge(text, last) {
  const offset = offsetOf(new Date(`${text}T12:00:00Z`));
  return `${text}T${last ? '23:59:59.999' : '00:00:00.000'}${offset}`;
}

function offsetOf(when) {
  const name = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    .formatToParts(when).find((part) => part.type === 'timeZoneName').value;
  const found = /GMT([+-])(\d{2}):(\d{2})/.exec(name);
  return found ? found[1] + found[2] + found[3] : '+0000';
}
