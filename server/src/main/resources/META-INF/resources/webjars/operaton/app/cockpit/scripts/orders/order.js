/** The page of one order: who did what, when, with which file. Everything an auditor asks, without asking anyone. */
import { drawDiagram } from './diagram.js';
import { h, section, table } from './html.js';
import { fieldOf, titleOf } from './model.js';
import { filesOf, json, PERSONS, placeOf, read, valuesOf, visitsOf } from './story.js';
import { at, date, money, size, span, titled, whereabouts } from './words.js';

export async function renderOrder(root, rest, wanted) {
  root.replaceChildren(h('p', { class: 'orders-wait' }, 'Загружается…'));
  const story = await read(rest, wanted.get('id') || '');
  const visits = visitsOf(story);
  const drawing = h('div', {});
  root.replaceChildren(
    h('p', {}, h('a', { href: '#/orders' }, '← все заказы')),
    h('h1', {}, `Заказ ${story.order.businessKey || story.order.id}`),
    facts(story),
    section('Путь заказа', drawing),
    section('Шаги', steps(story, visits)),
    section('Файлы', files(rest, story, visits)),
    section('Кто что делал', operations(story), false),
    section('Как менялись данные', changes(story), false),
    section('Сбои', incidents(story), story.incidents.length > 0),
    section('Работа программ', services(story), false),
  );
  await drawDiagram(drawing, story);
}

function facts(story) {
  const values = valuesOf(story);
  const { ends } = story;
  const reached = story.order.endTime && story.activities.filter((activity) => ends.has(activity.activityId)).pop();
  const where = whereabouts(reached ? reached.activityId : null, ends, story.stages, values.get('cardStage'));
  const rows = [
    ['Этап или итог', where], ['Заказчик', values.get('customerName') || '—'],
    ['Контакт', values.get('customerContact') || '—'], ['Что изготовить', values.get('itemDescription') || '—'],
    ['Заявку подал', person(story, values.get('initiator') || story.order.startUserId)],
    ['Начат', at(story.order.startTime)], ['Завершён', at(story.order.endTime)],
    ['Срок готовности', values.get('readyBy') ? at(values.get('readyBy')) : '—'],
    ['Смета', money(values.get('estimateSum'))], ['Оплачено', money(values.get('paidSum'))],
    ['Версия маршрута', String(story.order.processDefinitionVersion || '—')],
  ];
  if (values.get('cancelReason')) rows.splice(1, 0, ['Отменил', `${person(story, values.get('cancelledBy'))}: ${values.get('cancelReason')}`]);
  return h('dl', { class: 'orders-facts' }, rows.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

function person(story, id) {
  if (!id) return '—';
  const name = story.names.get(id);
  return name ? `${name} (${id})` : id;
}

/** Who did the step, and for whom: a substitute's work bears both names. */
function doer(story, { task, mark }) {
  const who = person(story, mark.person || task.assignee);
  return mark.for ? `${who} за: ${person(story, mark.for)}` : who;
}

function steps(story, visits) {
  const rows = visits.map((visit) => {
    const { task } = visit;
    const took = task.endTime ? span(new Date(task.endTime) - new Date(task.startTime)) : 'ещё идёт';
    const ended = task.endTime ? (visit.completed ? at(task.endTime) : `${at(task.endTime)}, снят`) : '—';
    return [
      visit.stage.label, doer(story, visit), at(task.startTime), at(visit.claimed), ended, took,
      h('span', {}, at(task.due), visit.late > 0 && h('strong', { class: 'orders-late' }, ` опоздание ${span(visit.late)}`)),
      answersOf(story, visit),
    ];
  });
  return table('Шаги', ['Шаг', 'Кто', 'Поступил', 'Взят', 'Завершён', 'Сколько', 'Срок', 'Ответ'], rows, 'Шагов у людей ещё не было.');
}

function answersOf(story, visit) {
  const shown = visit.answers.filter((update) => visit.stage.fields.has(update.variableName.replace(/_\d+$/, '')) &&
    (update.value !== null || update.variableType === 'File'));
  if (!shown.length) return null;
  return h('ul', { class: 'orders-plain' }, shown.map((update) => {
    const field = visit.stage.fields.get(update.variableName.replace(/_\d+$/, ''));
    return h('li', {}, h('span', { class: 'orders-name' }, `${field.label}: `), said(field, update));
  }));
}

function said(field, update) {
  if (update.variableType === 'File') return (update.valueInfo && update.valueInfo.filename) || 'файл снят';
  const value = String(update.value);
  if (field.kind === 'choice') return field.choices.get(value) || value;
  if (field.kind === 'sum') return money(value);
  if (field.kind === 'date') return date(value);
  if (field.kind === 'moment') return at(value);
  return value;
}

function files(rest, story, visits) {
  const rows = filesOf(story).filter(({ file }) => file.valueInfo && file.valueInfo.filename).map(({ file, info, task, replaced }) => {
    const name = file.valueInfo.filename;
    const link = h('a', { href: rest.href(`/history/detail/${encodeURIComponent(file.id)}/data`), download: name }, name);
    const visit = task && visits.find((known) => known.task === task);
    const who = visit ? doer(story, visit) : person(story, story.order.startUserId);
    const verdict = info ? (replaced ? 'заменён новым' : 'принят') : replaced ? 'не принят или заменён' : 'не проверен или не принят';
    return [
      titleOf(story.stages, file.variableName), link, info ? size(info.size) : '—', who, at(file.time), verdict,
      h('code', { class: 'orders-hash' }, info ? info.sha256 : '—'),
    ];
  });
  return table('Файлы', ['Что', 'Файл', 'Размер', 'Кто приложил', 'Когда', 'Проверка', 'SHA-256'], rows, 'Файлов нет.');
}

const OPERATIONS = {
  Claim: 'взял шаг', Complete: 'завершил шаг', Assign: 'назначил исполнителя', Create: 'начал', SetVariable: 'записал данные',
  SetVariables: 'записал данные', ModifyVariable: 'изменил данные', RemoveVariable: 'удалил данные', Delete: 'удалил',
  Suspend: 'приостановил', Activate: 'возобновил', Migrate: 'перевёл на другую версию', ModifyProcessInstance: 'передвинул заказ',
  SetJobRetries: 'повторил попытку', SetExternalTaskRetries: 'повторил попытку', Delegate: 'поручил', Resolve: 'выполнил поручение',
  AddAttachment: 'приложил', AddComment: 'написал', SetDueDate: 'изменил срок', Correlate: 'отправил сообщение',
};

const PROPERTIES = { assignee: 'исполнитель', dueDate: 'срок', suspensionState: 'состояние', processDefinitionVersion: 'версия' };
const PLAIN = ['delete', 'processDefinitionId', 'processInstanceId', 'deploymentId']; // say nothing that is not said beside

/** What an operation changed, from what to what, as people say it. */
function changed(story, { property, orgValue, newValue }) {
  if (!property || PLAIN.includes(property)) return '';
  const said = (value) => {
    if (value === null || value === undefined || value === '') return '—';
    if (property === 'assignee') return person(story, value);
    if (property === 'dueDate') return at(Number(value) || value);
    return { active: 'в работе', suspended: 'приостановлен' }[value] || value;
  };
  return `${PROPERTIES[property] || property}: ${said(orgValue)} → ${said(newValue)}`;
}

function operations(story) {
  const rows = story.operations.map((operation) => {
    const task = story.tasks.find((known) => known.id === operation.taskId);
    const what = OPERATIONS[operation.operationType] || operation.operationType;
    const where = task ? (story.stages.get(task.taskDefinitionKey) || { label: task.name }).label : 'заказ';
    return [at(operation.timestamp), person(story, operation.userId), what, where, changed(story, operation)];
  });
  return table('Кто что делал', ['Когда', 'Кто', 'Что', 'Где', 'Изменение'], rows, 'Записей нет.');
}

function changes(story) {
  const rows = story.updates.map((update) => [
    at(update.time), titled(story.stages, update.variableName), h('code', {}, update.variableName),
    h('span', { class: 'orders-value', title: update.variableType === 'File' ? null : update.value }, readable(story, update)),
  ]);
  return table('Как менялись данные', ['Когда', 'Что', 'Поле', 'Значение'], rows, 'Данных нет.');
}

/** A value as people read it; as it was written it stands in the cell's hint. */
function readable(story, update) {
  const { variableName, variableType, value } = update;
  if (variableType === 'File') return (update.valueInfo && update.valueInfo.filename) || '—';
  if (value === null || value === undefined || value === '') return '—';
  if (PERSONS.includes(variableName)) return person(story, value);
  if (variableType === 'Boolean') return value ? 'да' : 'нет';
  if (variableType === 'Date') return at(value);
  const field = fieldOf(story.stages, variableName);
  const noted = field ? null : json(value);
  if (field) return said(field, update);
  if (Array.isArray(noted)) return noted.map((each) => `${at(each.readyBy)}, отмечено ${at(each.at)}`).join('; ') || '—';
  if (noted && noted.sha256) return `${noted.name}, ${size(noted.size)}, SHA-256 ${noted.sha256}, ${at(noted.at)}`;
  if (noted && noted.person) return `${noted.name} (${noted.person})${noted.for ? ` за: ${noted.forName}` : ''}, ${at(noted.at)}`;
  return String(value);
}

function incidents(story) {
  const rows = story.incidents.map((incident) => [
    at(incident.createTime), placeOf(story, incident.activityId).name, incident.incidentMessage || '—',
    incident.open ? h('strong', { class: 'orders-late' }, 'ждёт человека') : `устранён ${at(incident.endTime)}`,
  ]);
  return table('Сбои', ['Когда', 'Где', 'Что случилось', 'Состояние'], rows, 'Сбоев не было.');
}

function services(story) {
  const state = (log) => (log.successLog ? 'сделано' : log.failureLog ? 'не вышло' : log.deletionLog ? 'снято' : 'поступило');
  const rows = story.services.map((log) => {
    const { name, stage } = placeOf(story, log.activityId, log.activityInstanceId);
    return [at(log.timestamp), name, stage, state(log), log.errorMessage || ''];
  });
  return table('Работа программ', ['Когда', 'Действие', 'Где', 'Итог', 'Сообщение'], rows, 'Программы ещё ничего не делали.');
}
