// Time lines of reports, and the graph of bugs that are perhaps the same.

import {count, cut, plural, section, svg} from "./dom.js";
import type {Bug, Triage} from "./bugs.js";
import {clamp, level, num, range, score, sum, text} from "./bugs.js";

const NODES = 40, RING = 14;
const day = (date: string) => Date.parse(date) / 864e5;

function bins({axis}: Triage, bug: Bug, by: string, most: number) {
  const from = by === "date" ? day(axis.first) : 0, size = by === "date" ? day(axis.last) - from + 1 : axis.releases.length;
  const n = Math.min(size, most), counts: number[] = new Array(n).fill(0), add = (at: number, more: number) => { counts[Math.floor(at * n / size)]! += more; };
  if (by === "date") bug.days.forEach(([date, count]) => { if (date) add(day(date) - from, count); });
  else bug.releases.forEach(([release, count]) => add(axis.place.get(release)!, count));
  const name = (at: number) => by === "date" ? new Date((from + at) * 864e5).toISOString().slice(0, 10) : axis.releases[at] ?? "";
  const label = (i: number) => range(name(Math.ceil(i * size / n)), name(Math.ceil((i + 1) * size / n) - 1));
  return {counts, max: Math.max(1, ...counts), label, ends: [name(0), name(Math.floor(size / 2)), name(size - 1)]};
}
export function spark(triage: Triage, bug: Bug) {
  const {axis} = triage;
  if (!axis.by) return null;
  const {counts, max} = bug.bins ??= bins(triage, bug, axis.by, 26), w = 96 / counts.length;
  const path = counts.map((c, i) => c ? "M" + i * w + " 22v" + -(2 + 19 * c / max) + "h" + Math.max(1.5, w - 1) + "V22z" : "").join("");
  return svg("svg", {class: "spark", viewBox: "0 0 96 24", width: "100%", height: 24, preserveAspectRatio: "none", "aria-hidden": "true"},
    svg("line", {x1: 0, x2: 96, y1: 22.5, y2: 22.5}), svg("path", {d: path}));
}
export function chart(triage: Triage, bug: Bug, by: string) {
  // A narrow screen would make the words of a wide one too small.
  const W = clamp(innerWidth - 36, 300, 640), TOP = 12, H = 64;
  const {counts, max, label, ends} = bins(triage, bug, by, 80), w = W / counts.length, short = (end: string) => cut(end, Math.ceil(W / 25));
  const column = (c: number, i: number) => svg("g", {}, svg("title", {}, label(i) + ": " + plural(c, "report")), svg("rect", {class: "hit", x: i * w, y: TOP, width: w, height: H}),
    c ? svg("rect", {x: i * w, y: TOP + H - Math.max(2, H * c / max), width: w - Math.min(2, w / 4), height: Math.max(2, H * c / max)}) : null);
  const word = (x: number, y: number, anchor: string, s: string) => svg("text", {x, y, "text-anchor": anchor}, s), rule = (y: number) => svg("line", {x1: 0, x2: W, y1: y, y2: y});
  return svg("svg", {class: "chart", viewBox: `0 0 ${W} 92`, role: "img", "aria-label": "reports by " + by + ", highest " + max},
    rule(TOP + .5), rule(TOP + H), word(0, 8, "start", "by " + by), word(W, 8, "end", count(max)), counts.map(column),
    word(0, 90, "start", short(ends[0]!)), counts.length > 2 ? word(W / 2, 90, "middle", short(ends[1]!)) : null, word(W, 90, "end", short(ends[2]!)));
}

interface Node { bug: Bug; ring: number; parent?: Node; children: Node[]; x: number; y: number; side: number }
interface Edge { a: Node; b: Node; link: {score: number; evidence: string} }

// The graph: the bug in the middle, its neighbours on an ellipse, theirs on an outer one, each in its parent's sector
function reach(triage: Triage, bug: Bug) {
  const make = (bug: Bug, parent?: Node): Node => ({bug, ring: parent ? parent.ring + 1 : 0, ...(parent ? {parent} : {}), children: [], x: 0, y: 0, side: 1});
  const first = make(bug), nodes = [first], at = new Map([[bug.id, first]]), left = new Set<string>(), edges: Edge[] = [];
  const grow = (parent: Node, most: number) => {
    for (const o of triage.neighbours(parent.bug).filter(o => o.bug && !at.has(o.id))) {
      if (nodes.length >= most) { left.add(o.id); continue; }
      const node = make(o.bug!, parent);
      at.set(o.id, node); nodes.push(node); parent.children.push(node);
    }
  };
  grow(first, RING + 1);
  for (const child of first.children) grow(child, NODES);
  for (const a of nodes) for (const o of triage.neighbours(a.bug)) if (at.has(o.id) && a.bug.id < o.id) edges.push({a, b: at.get(o.id)!, link: o.link});
  const tree = edges.filter(e => e.b.parent === e.a || e.a.parent === e.b), cross = edges.filter(e => !tree.includes(e));
  return {nodes, tree, cross: cross.sort((x, y) => num(y.link.score) - num(x.link.score)).slice(0, NODES), left: [...left].filter(id => !at.has(id)).length};
}
function arrange(nodes: Node[], W: number, H: number) {
  const first = nodes[0]!.children, weight = (n: Node) => Math.max(1, n.children.length), total = sum(first, weight), inner = nodes.some(n => n.ring === 2) ? .52 : .85;
  const put = (node: Node, angle: number, r: number) => Object.assign(node, {x: W / 2 + Math.cos(angle) * r * (W / 2 - 150), y: H / 2 + Math.sin(angle) * r * (H / 2 - 18), side: Math.cos(angle) > -.01 ? 1 : -1});
  put(nodes[0]!, 0, 0);
  let middle = 0;
  first.forEach((node, i) => {
    const sector = 2 * Math.PI * weight(node) / total, spread = Math.min(sector, 2), count = node.children.length;
    if (i) middle += sector / 2;
    put(node, middle, inner);
    node.children.forEach((child, k) => put(child, middle + spread * ((k + .5) / count - .5), 1));
    middle += sector / 2;
  });
}
function graphNode(triage: Triage, n: Node, linked: Linked) {
  const r = 5 + clamp(Math.log2(1 + n.bug.count) / 1.5, 0, 7), name = cut(text(triage.details(n.bug).ex.blame?.function) || n.bug.title, 22);
  const where: Record<string, string | number> = n.ring ? {x: n.x + n.side * (r + 4), y: n.y + 4, "text-anchor": n.side > 0 ? "start" : "end"} : {x: n.x, y: n.y + r + 14, "text-anchor": "middle"};
  const parts = [svg("title", {}, cut(n.bug.title, 300) + "  (" + plural(n.bug.count, "report") + ")"), svg("circle", {class: level(n.bug), cx: n.x, cy: n.y, r}), svg("text", where, name)];
  return n.ring ? linked(svg("a", {}, parts), n.bug.id) : svg("g", {class: "self"}, parts);
}
type Linked = (node: Element, id: string) => Element;
export function graph(triage: Triage, bug: Bug, linked: Linked) {
  const {nodes, tree, cross, left} = reach(triage, bug), W = 760, H = Math.min(560, 110 + nodes.length * 20);
  if (nodes.length < 2) return null;
  arrange(nodes, W, H);
  const top = Math.min(...nodes.map(n => n.y)), bottom = Math.max(...nodes.map(n => n.y));
  const edge = (kind: string) => (e: Edge) => svg("line", {class: kind, x1: e.a.x, y1: e.a.y, x2: e.b.x, y2: e.b.y, "stroke-width": 1 + 2 * clamp(num(e.link.score), 0, 1)});
  const label = (e: Edge) => {
    const far = e.a.ring < e.b.ring ? .66 : e.a.ring > e.b.ring ? .34 : .5;
    return svg("text", {x: e.a.x + (e.b.x - e.a.x) * far, y: e.a.y + (e.b.y - e.a.y) * far + 4, "text-anchor": "middle"}, svg("title", {}, e.link.evidence), score(e.link.score));
  };
  return section("Neighbourhood", "bugs that are perhaps the same, up to two steps away" + (left ? "; " + left + " more not drawn" : ""),
    svg("svg", {class: "graph", viewBox: [0, top - 16, W, bottom - top + 44].join(" ")}, cross.map(edge("cross")), tree.map(edge("tree")), cross.map(label), tree.map(label), nodes.map(node => graphNode(triage, node, linked))));
}
