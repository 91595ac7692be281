// Draws every plane of one diagram with bpmn-js and measures what was really drawn.
// Called by diagram/render.py in a page that has a <div id="canvas">; returns {warnings, planes: [{id, svg, clashes}]}.
async (xml) => {
  const ICON = 24, MARKER = 18; // pixels that an icon (top left) and the plus sign (bottom) of a shape take

  const viewer = new BpmnJS({ container: '#canvas' });
  const { warnings } = await viewer.importXML(xml);
  const registry = viewer.get('elementRegistry'), canvas = viewer.get('canvas');

  const rootOf = (e) => { while (e.parent) e = e.parent; return e; };
  const isGroup = (e) => e.type === 'bpmn:Group';
  const isFrame = (e) => /Participant|Lane$/.test(e.type) || (e.children && e.children.some((c) => c.type !== 'label'));

  // Box of the drawn text, not the bounds of the file: fonts differ.
  const textBox = (e) => {
    const graphics = registry.getGraphics(e), text = graphics.querySelector('.djs-visual text');
    if (!text || !text.textContent.trim()) return null;
    const box = text.getBBox(), m = graphics.getCTM().inverse().multiply(text.getCTM());
    const [p, q] = [[box.x, box.y], [box.x + box.width, box.y + box.height]]
      .map(([x, y]) => [m.a * x + m.c * y + m.e + e.x, m.b * x + m.d * y + m.f + e.y]);
    return { id: e.id, x: Math.min(p[0], q[0]), y: Math.min(p[1], q[1]), w: Math.abs(q[0] - p[0]), h: Math.abs(q[1] - p[1]) };
  };
  const hit = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  const segments = (e) => e.waypoints.slice(1).map((p, i) => [e.waypoints[i], p]);
  const border = (b) => {
    const c = [[b.x, b.y], [b.x + b.w, b.y], [b.x + b.w, b.y + b.h], [b.x, b.y + b.h]].map(([x, y]) => ({ x, y }));
    return c.map((p, i) => [p, c[(i + 1) % 4]]);
  };
  // Does a segment run through a box grown by `grow`? (Liang and Barsky)
  const inBox = ([p, q], b, grow = 0) => {
    let t0 = 0, t1 = 1;
    const dx = q.x - p.x, dy = q.y - p.y;
    for (const [d, s] of [[-dx, p.x - b.x + grow], [dx, b.x + b.w + grow - p.x], [-dy, p.y - b.y + grow], [dy, b.y + b.h + grow - p.y]]) {
      if (d === 0) { if (s <= 0) return false; continue; }
      const t = s / d;
      if (d < 0) { if (t > t1) return false; t0 = Math.max(t0, t); } else { if (t < t0) return false; t1 = Math.min(t1, t); }
    }
    return t1 > t0;
  };
  const side = (p, q, r) => Math.sign((q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x));
  const cross = ([a, b], [c, d]) => side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
  const along = ([a, b], [c, d]) => side(a, b, c) === 0 && side(a, b, d) === 0 &&
    ['x', 'y'].some((k) => Math.min(Math.max(a[k], b[k]), Math.max(c[k], d[k])) - Math.max(Math.min(a[k], b[k]), Math.min(c[k], d[k])) > 1);

  const clashesOf = (root) => {
    const found = [], boxes = [], words = [], edges = [], frames = [];
    for (const e of registry.filter((e) => e.parent && rootOf(e) === root)) {
      if (e.waypoints) { edges.push(e); continue; }
      const box = { id: e.id, x: e.x, y: e.y, w: e.width, h: e.height, e };
      if (isGroup(e) && !e.labelTarget) { frames.push(box); continue; }
      const text = textBox(e);
      if (e.labelTarget) { if (text) words.push(text); continue; }
      if (isFrame(e)) continue;
      if (text && !text.w) found.push(['no fonts', e.id]);
      if (text && (text.x < e.x - 1 || text.y < e.y - 1 || text.x + text.w > e.x + e.width + 1 || text.y + text.h > e.y + e.height + 1)) found.push(['text leaves its shape', e.id]);
      if (text && /Task$/.test(e.type) && text.x < e.x + ICON && text.y < e.y + ICON) found.push(['text over the icon', e.id]);
      if (text && /SubProcess$/.test(e.type) && text.y + text.h > e.y + e.height - MARKER) found.push(['text over the marker', e.id]);
      boxes.push(box);
    }
    const pairs = (list, test) => list.forEach((a, i) => list.slice(i + 1).forEach((b) => test(a, b)));
    if (words.some((w) => !w.w || !w.h)) found.push(['no fonts', root.id]);
    for (const w of words) {
      boxes.filter((b) => hit(w, b)).forEach((b) => found.push(['label over shape', w.id, b.id]));
      edges.filter((e) => segments(e).some((s) => inBox(s, w))).forEach((e) => found.push(['label over edge', w.id, e.id]));
      frames.filter((f) => border(f).some((s) => inBox(s, w))).forEach((f) => found.push(['label over frame', w.id, f.id]));
    }
    for (const f of frames) boxes.filter((b) => border(f).some((s) => inBox(s, b))).forEach((b) => found.push(['shape over frame', b.id, f.id]));
    pairs(words, (a, b) => hit(a, b) && found.push(['label over label', a.id, b.id]));
    pairs(frames, (a, b) => hit(a, b) && found.push(['frame over frame', a.id, b.id]));
    pairs(boxes, (a, b) => a.e.host !== b.e && b.e.host !== a.e && hit(a, b) && found.push(['shape over shape', a.id, b.id]));
    for (const e of edges) boxes.filter((b) => e.source !== b.e && e.target !== b.e && segments(e).some((s) => inBox(s, b, -1))).forEach((b) => found.push(['edge through shape', e.id, b.id]));
    pairs(edges, (a, b) => segments(a).some((s) => segments(b).some((t) => cross(s, t))) && found.push(['edges cross', a.id, b.id]));
    pairs(edges, (a, b) => segments(a).some((s) => segments(b).some((t) => along(s, t))) && found.push(['edges overlap', a.id, b.id]));
    return found;
  };

  const planes = [];
  for (const root of canvas.getRootElements()) {
    canvas.setRootElement(root);
    const { svg } = await viewer.saveSVG();
    planes.push({ id: root.businessObject.id, svg, clashes: clashesOf(root) });
  }
  viewer.destroy();
  return { warnings: warnings.map((w) => w.message), planes };
}
