/** The order's own version of the diagram with the order's path on it, one plane at a time. */
import { h } from './html.js';
import { reachedOf, wentAlong } from './story.js';

let loading = null;

function viewerClass() {
  loading ??= new Promise((resolve, reject) => {
    const script = h('script', {
      src: new URL('./bpmn-viewer.production.min.js', import.meta.url).href,
      load: () => resolve(window.BpmnJS),
      error: () => reject(new Error('Схема не загрузилась. Обновите страницу.')),
    });
    document.head.append(script);
  });
  return loading;
}

export async function drawDiagram(node, story) {
  const Viewer = await viewerClass();
  const canvasNode = h('div', { class: 'orders-canvas' });
  const planes = h('div', { class: 'orders-planes', role: 'group', 'aria-label': 'Что показать на схеме' });
  node.append(planes, h('div', { class: 'orders-scroll' }, canvasNode));
  const viewer = new Viewer({ container: canvasNode });
  try {
    await viewer.importXML(story.xml);
  } catch {
    node.replaceChildren(h('p', { class: 'orders-empty' }, 'У этой версии маршрута нет схемы. Шаги названы ниже.'));
    return;
  }
  const reached = reachedOf(story);
  mark(viewer, story, reached);
  offerPlanes(viewer, canvasNode, planes, reached);
}

function mark(viewer, story, reached) {
  const canvas = viewer.get('canvas');
  const overlays = viewer.get('overlays');
  const open = new Set(story.activities.filter((activity) => !activity.endTime).map((activity) => activity.activityId));
  viewer.get('elementRegistry').forEach((element) => {
    const id = element.businessObject && element.businessObject.id;
    if (element.type === 'label' || element.id !== id) return;
    if (element.type === 'bpmn:SequenceFlow') {
      if (wentAlong(story, element.source.businessObject.id, element.target.businessObject.id)) {
        canvas.addMarker(element, 'orders-walked');
      }
    } else if (reached.has(id)) {
      canvas.addMarker(element, open.has(id) ? 'orders-here' : 'orders-reached');
      if (reached.get(id) > 1) {
        const text = `${reached.get(id)} раз`.replace(/([234]) раз$/, (all, n) => (reached.get(id) < 10 ? `${n} раза` : all));
        overlays.add(element, { position: { top: -12, left: 4 }, html: h('span', { class: 'orders-count' }, text) });
      }
    }
  });
}

function offerPlanes(viewer, frame, planes, reached) {
  const canvas = viewer.get('canvas');
  const roots = canvas.getRootElements().filter((root) => {
    const shape = root.businessObject;
    return root.type === 'bpmn:Process' || root.type === 'bpmn:Collaboration' || reached.has(shape.id);
  });
  const buttons = roots.map((root) => {
    const whole = root.type === 'bpmn:Process' || root.type === 'bpmn:Collaboration';
    return h('button', { type: 'button', click: () => show(root) }, whole ? 'Весь маршрут' : root.businessObject.name || 'Этап');
  });
  function show(root) {
    canvas.setRootElement(root);
    frame.classList.toggle('orders-wide', root === roots[0]); // the whole route is too much for a phone's width
    buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(roots[i] === root)));
    const box = canvas.viewbox().inner;
    const wanted = (frame.clientWidth / Math.max(box.width, 1)) * box.height + 60;
    frame.style.height = `${Math.round(Math.min(Math.max(wanted, 200), 560))}px`;
    canvas.resized();
    canvas.zoom('fit-viewport', 'auto');
  }
  planes.append(...buttons);
  show(roots[0]);
}
