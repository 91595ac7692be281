// Runs bpmnlint (recommended + camunda-compat) over diagrams. Called by diagram/lint.py, one process for all files.
// stdin: [{"file", "xml"}]; stdout: [{"file", "rule", "id", "message"}]. Nothing is read from disk but the rules.
const { BpmnModdle } = require('bpmn-moddle');
const Linter = require('bpmnlint/lib/linter');
const NodeResolver = require('bpmnlint/lib/resolver/node-resolver');
const camunda = require('camunda-bpmn-moddle/resources/camunda.json');

const config = {
  extends: ['bpmnlint:recommended', 'plugin:camunda-compat/camunda-platform-7-24'],
  rules: { 'camunda-compat/history-time-to-live': 'error' },
};

async function lint({ file, xml }, found) {
  const add = (rule, id, message) => found.push({ file, rule, id: id || null, message: String(message) });
  let parsed;
  try {
    parsed = await new BpmnModdle({ camunda }).fromXML(xml);
  } catch (error) {
    add('parse', null, error.message);
    return;
  }
  parsed.warnings.forEach((warning) => add('import', warning.element && warning.element.id, warning.message));
  const linter = new Linter({ config, resolver: new NodeResolver({ require }) });
  const results = await linter.lint(parsed.rootElement, config);
  for (const [rule, list] of Object.entries(results)) list.forEach((hit) => add(rule, hit.id, hit.message));
}

(async () => {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const found = [];
  for (const each of JSON.parse(Buffer.concat(chunks).toString('utf8'))) {
    try {
      await lint(each, found);
    } catch (error) {
      // a rule that stumbles over a strange file is no reason to leave the other files unread
      found.push({ file: each.file, rule: 'parse', id: null, message: String(error.message) });
    }
  }
  process.stdout.write(JSON.stringify(found));
})();
