/** The list of orders: searched and paged on the server, so that it is as quick with ten thousand as with ten. */
import { dayBox, dayOf } from './dates.js';
import { h, table } from './html.js';
import { modelOf } from './model.js';
import { at, date, dayEdge, money, OUTCOMES, whereabouts } from './words.js';

export const ROUTE = 'custom-furniture-order';
const PAGE = 25;
const SHOWN = ['customerName', 'itemDescription', 'estimateSum', 'readyBy', 'cardStage'];

export async function renderList(root, rest, wanted) {
  root.replaceChildren(h('h1', {}, 'Заказы'), form(wanted), h('p', { class: 'orders-wait' }, 'Загружается…'));
  const condition = conditionOf(wanted);
  const first = Math.max(0, Number(wanted.get('from')) || 0);
  const [found, total] = await Promise.all([
    rest.search('/history/process-instance', condition, { firstResult: first, maxResults: PAGE }),
    rest.search('/history/process-instance/count', condition),
  ]);
  const [values, models] = await Promise.all([valuesOf(rest, found.map((order) => order.id)), modelsOf(rest, found)]);
  const outcomes = await outcomesOf(rest, found.filter((order) => order.endTime), models);
  const rows = found.map((order) => rowOf(order, values.get(order.id) || {}, models, outcomes.get(order.id)));
  root.querySelector('.orders-wait').replaceWith(
    table('Найденные заказы', ['Заказ', 'Заказчик', 'Изделие', 'Этап или итог', 'Начат', 'Завершён', 'Готовность',
      h('span', { class: 'orders-number' }, 'Сумма')], rows, 'Таких заказов нет. Измените условия поиска.'),
    pages(wanted, first, found.length, total.count),
  );
}

function form(wanted) {
  const field = (name, label, type) =>
    h('label', {}, label, h('input', { name, type, value: wanted.get(name) || '', maxlength: 255 }));
  const choices = [['', 'все'], ['running', 'в работе'], ...Object.entries(OUTCOMES)];
  const outcome = h('label', {}, 'Итог', h('select', { name: 'outcome' },
    choices.map(([code, label]) => h('option', { value: code, selected: wanted.get('outcome') === code }, label))));
  return h('form', {
    class: 'orders-search',
    role: 'search',
    submit(event) {
      event.preventDefault();
      const asked = [...new FormData(event.target)].filter(([, value]) => value.trim());
      window.location.hash = '#/orders?' + new URLSearchParams(asked.map(([n, v]) => [n, dayOf(v) || v.trim().normalize('NFC')]));
    },
  }, field('key', 'Номер заказа', 'search'), field('customer', 'Заказчик', 'search'), outcome,
  dayBox('since', 'Начат с', wanted.get('since') || ''), dayBox('until', 'по', wanted.get('until') || ''), h('button', { type: 'submit' }, 'Найти'));
}

/** The engine's own condition for what was asked. */
export function conditionOf(wanted) {
  const condition = { processDefinitionKey: ROUTE, sorting: [{ sortBy: 'startTime', sortOrder: 'desc' }] };
  const part = (text) => `%${text.replace(/[\\%_]/g, (sign) => '\\' + sign)}%`;
  if (wanted.get('key')) condition.processInstanceBusinessKeyLike = part(wanted.get('key'));
  if (wanted.get('customer')) {
    condition.variableValuesIgnoreCase = true;
    condition.variables = [{ name: 'customerName', operator: 'like', value: part(wanted.get('customer')) }];
  }
  const outcome = wanted.get('outcome');
  if (outcome === 'running') condition.unfinished = true;
  else if (OUTCOMES[outcome]) condition.executedActivityIdIn = [outcome];
  if (wanted.get('since')) condition.startedAfter = dayEdge(wanted.get('since'), false);
  if (wanted.get('until')) condition.startedBefore = dayEdge(wanted.get('until'), true);
  return condition;
}

async function valuesOf(rest, ids) {
  const values = new Map();
  if (!ids.length) return values;
  const found = await rest.search('/history/variable-instance', {
    processInstanceIdIn: ids, variableNameIn: SHOWN,
  }, { deserializeValues: false, maxResults: 2000 });
  for (const variable of found) {
    const known = values.get(variable.processInstanceId) || {};
    values.set(variable.processInstanceId, { ...known, [variable.name]: variable.value });
  }
  return values;
}

async function modelsOf(rest, orders) {
  const definitions = [...new Set(orders.map((order) => order.processDefinitionId))];
  const answers = await Promise.all(definitions.map((id) => rest.get(`/process-definition/${id}/xml`)));
  return new Map(definitions.map((id, i) => [id, modelOf(answers[i].bpmn20Xml)]));
}

/** The end that each ended order reached: one question per kind of end, however many orders. */
async function outcomesOf(rest, orders, models) {
  const outcomes = new Map();
  if (!orders.length) return outcomes;
  const ends = [...new Set([...models.values()].flatMap((model) => [...model.ends.keys()]))];
  await Promise.all(ends.map(async (end) => {
    const condition = { processInstanceIds: orders.map((order) => order.id), executedActivityIdIn: [end] };
    const reached = await rest.search('/history/process-instance', condition, { maxResults: PAGE });
    reached.forEach((order) => outcomes.set(order.id, end));
  }));
  return outcomes;
}

function rowOf(order, values, models, end) {
  const { stages, ends } = models.get(order.processDefinitionId);
  return [
    h('a', { href: '#/order?id=' + encodeURIComponent(order.id) }, order.businessKey || order.id),
    values.customerName || '—', values.itemDescription || '—', whereabouts(end, ends, stages, values.cardStage),
    at(order.startTime), at(order.endTime), date(values.readyBy),
    h('span', { class: 'orders-number' }, money(values.estimateSum)),
  ];
}

function pages(wanted, first, shown, total) {
  const link = (from, label) => {
    const asked = new URLSearchParams(wanted);
    asked.set('from', String(from));
    return h('a', { href: '#/orders?' + asked }, label);
  };
  return h('nav', { class: 'orders-pages', 'aria-label': 'Страницы' },
    h('span', {}, total ? `${first + 1}–${first + shown} из ${total}` : ''),
    first > 0 && link(Math.max(0, first - PAGE), '← новее'),
    first + shown < total && link(first + PAGE, 'старее →'));
}
