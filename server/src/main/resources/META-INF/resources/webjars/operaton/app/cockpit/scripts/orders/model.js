/** What a version of the diagram says of its steps: column code, title, names of the fields. */
const CAMUNDA = 'http://camunda.org/schema/1.0/bpmn';
const BPMN = 'http://www.omg.org/spec/BPMN/20100524/MODEL';

/** What a diagram says: {stages, ends}. */
export function modelOf(xml) {
  const root = new DOMParser().parseFromString(xml, 'application/xml');
  return { stages: stagesOf(root), ends: endsOf(root) };
}

/** User tasks by their id: {code, label, name, fields: Map(variable -> {kind, label, choices})}. */
function stagesOf(root) {
  const found = new Map();
  for (const kind of ['userTask', 'startEvent']) {
    for (const node of root.getElementsByTagNameNS(BPMN, kind)) {
      const properties = new Map([...node.getElementsByTagNameNS(CAMUNDA, 'property')]
        .map((property) => [property.getAttribute('name'), property.getAttribute('value') || '']));
      if (kind === 'startEvent' && !properties.size) continue;
      const name = (node.getAttribute('name') || node.id || '').trim();
      found.set(node.getAttribute('id'), {
        code: properties.get('stage') || '', label: properties.get('label') || name, name, fields: fieldsOf(properties),
      });
    }
  }
  return found;
}

/** Outcome ends: end events of the process itself, id -> name; ends inside a stage are no outcomes. */
function endsOf(root) {
  const ends = new Map();
  for (const node of root.getElementsByTagNameNS(BPMN, 'endEvent')) {
    const holder = node.parentNode;
    const outcome = holder.localName === 'process' || holder.getAttribute('triggeredByEvent') === 'true';
    if (outcome) ends.set(node.getAttribute('id'), (node.getAttribute('name') || node.getAttribute('id')).trim());
  }
  return ends;
}

function fieldsOf(properties) {
  const fields = new Map();
  for (const [name, value] of properties) {
    if (!name.startsWith('field.')) continue;
    const [kind, label, options = ''] = value.split(';').map((part) => part.trim());
    const choices = new Map(options.split(',').map((option) => option.split('=').map((part) => part.trim()))
      .filter((pair) => pair.length === 2));
    fields.set(name.slice('field.'.length), { kind, label: label || name, choices });
  }
  return fields;
}

/** The field of a variable, over all steps; `designFile_2` counts as its field. */
export function fieldOf(stages, variable) {
  const plain = variable.replace(/_\d+$/, '');
  for (const { fields } of stages.values()) {
    const field = fields.get(variable) || fields.get(plain);
    if (field) return field;
  }
  return undefined;
}

/** The title of a variable: its field's, else its name. */
export function titleOf(stages, variable) {
  const field = fieldOf(stages, variable);
  return field ? field.label : variable;
}
