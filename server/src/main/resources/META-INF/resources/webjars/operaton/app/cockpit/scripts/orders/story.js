/** One order's story out of the engine's history: read in few requests, then put together by pure functions. */
import { modelOf } from './model.js';

export async function read(rest, id) {
  const of = { processInstanceId: id };
  const oldest = { sortBy: 'occurrence', sortOrder: 'asc' };
  const [order, activities, tasks, updates, variables, operations, incidents, services] = await Promise.all([
    rest.get(`/history/process-instance/${encodeURIComponent(id)}`),
    rest.all('/history/activity-instance', { ...of, ...oldest }),
    rest.all('/history/task', { ...of, sortBy: 'startTime', sortOrder: 'asc' }),
    rest.all('/history/detail', { ...of, ...oldest, variableUpdates: true, deserializeValues: false }),
    rest.all('/history/variable-instance', { ...of, deserializeValues: false }),
    rest.all('/history/user-operation', { ...of, sortBy: 'timestamp', sortOrder: 'asc' }),
    rest.all('/history/incident', of),
    rest.all('/history/external-task-log', { ...of, sortBy: 'timestamp', sortOrder: 'asc' }),
  ]);
  const model = await rest.get(`/process-definition/${encodeURIComponent(order.processDefinitionId)}/xml`);
  const xml = model.bpmn20Xml;
  const names = namesOf(updates);
  const strangers = strangersTo(names, order, tasks, operations, updates);
  if (strangers.length) Object.entries(await rest.people(id, strangers)).forEach(([who, name]) => names.set(who, name));
  const { stages, ends } = modelOf(xml);
  return { order, activities, tasks, updates, variables, operations, incidents, services, xml, names, stages, ends };
}

/** Person id -> name, from the marks that the server leaves when a step is completed. */
export function namesOf(updates) {
  const names = new Map();
  for (const update of updates) {
    if (!update.variableName.startsWith('done_')) continue;
    const mark = json(update.value);
    if (mark && mark.person && mark.name) names.set(mark.person, mark.name);
    if (mark && mark.for && mark.forName) names.set(mark.for, mark.forName);
  }
  return names;
}

/** Values that are persons. */
export const PERSONS = ['initiator', 'cancelledBy', 'movedBy', 'correctedBy'];

/** Persons in the history who have completed no step: who started, claimed, handed out, cancelled, moved. */
export function strangersTo(names, order, tasks, operations, updates) {
  const given = operations.filter((operation) => operation.property === 'assignee');
  const ids = [
    order.startUserId, ...tasks.map((task) => task.assignee), ...operations.map((operation) => operation.userId),
    ...given.flatMap((operation) => [operation.orgValue, operation.newValue]),
    ...updates.filter((update) => PERSONS.includes(update.variableName)).map((update) => update.value),
  ];
  return [...new Set(ids)].filter((id) => id && !names.has(id)).slice(0, 200);
}

/** What an element of the order's diagram is called where it was reached: {name, stage}. */
export function placeOf(story, activityId, activityInstanceId) {
  const here = story.activities.find((known) => (activityInstanceId ? known.id === activityInstanceId : known.activityId === activityId));
  const around = here && story.activities.find((known) => known.id === here.parentActivityInstanceId && known.activityType === 'subProcess');
  return { name: (here && here.activityName) || activityId || '—', stage: (around && around.activityName) || 'заказ' };
}

export function json(text) {
  if (typeof text !== 'string') return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The current values of the order itself (not of single steps inside). */
export function valuesOf(story) {
  return new Map(story.variables.filter((variable) => variable.executionId === story.order.id)
    .map((variable) => [variable.name, variable.value]));
}

/** Every visit of a step: who, when, how long, what was answered. A loop's earlier answers stay apart. */
export function visitsOf(story) {
  return story.tasks.map((task) => {
    const operations = story.operations.filter((operation) => operation.taskId === task.id);
    const claim = operations.find((operation) => operation.operationType === 'Claim' ||
      (operation.operationType === 'Assign' && operation.property === 'assignee'));
    const answers = story.updates.filter((update) => update.activityInstanceId === task.activityInstanceId);
    return {
      task, claimed: claim ? claim.timestamp : null, answers, mark: markOf(answers, task.taskDefinitionKey),
      stage: story.stages.get(task.taskDefinitionKey) || { label: task.name, name: task.name, fields: new Map() },
      completed: task.deleteReason === 'completed',
      late: task.due ? new Date(task.endTime || Date.now()) - new Date(task.due) : null,
    };
  });
}

/** What the server wrote at the completion: who did the step, and for whom if it was not theirs; {} where there is none. */
function markOf(answers, step) {
  const mark = answers.find((update) => update.variableName === `done_${step}`);
  return (mark && json(mark.value)) || {};
}

/** Every version of every file, in the order of their coming, each with what the judge wrote about those bytes. */
export function filesOf(story) {
  const files = story.updates.filter((update) => update.variableType === 'File');
  return files.map((file) => {
    const next = files.find((other) => other.variableName === file.variableName && other.time > file.time);
    const judged = story.updates.find((update) => update.variableName === `${file.variableName}Info` &&
      update.time >= file.time && (!next || update.time < next.time) && json(update.value));
    const task = story.tasks.find((known) => known.activityInstanceId === file.activityInstanceId);
    return { file, info: judged ? json(judged.value) : null, task, replaced: Boolean(next) };
  });
}

/** Elements that were reached, with how often: element id -> count. */
export function reachedOf(story) {
  const counts = new Map();
  for (const activity of story.activities) {
    if (activity.activityType === 'processDefinition') continue;
    counts.set(activity.activityId, (counts.get(activity.activityId) || 0) + 1);
  }
  return counts;
}

/** Tells whether the order went from one element to the next along a flow: the one ended when the other began. */
export function wentAlong(story, source, target) {
  const near = 2000; // milliseconds: both are written in one transaction, each with its own clock reading
  const ends = story.activities.filter((activity) => activity.activityId === source && activity.endTime);
  const starts = story.activities.filter((activity) => activity.activityId === target);
  return ends.some((end) => starts.some((start) => {
    const pause = new Date(start.startTime) - new Date(end.endTime);
    return pause >= -near && pause <= near;
  }));
}
