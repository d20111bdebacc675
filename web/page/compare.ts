// Two reports compared, and the audit of a bisection, as elements.

import {bar, cell, Child, code, el, facts, folded, line, mute, percent, section, table, tag} from "./dom.js";
import {featureWords, inWords, linkWords} from "./evidence.js";

export interface Comparison {
  same: boolean; links: {how: string; score: number; evidence: string}[]; parted: {rule: string; evidence: string}[];
  score: number | null; features: [string, number][];
}

export function comparison(found: Comparison, one: string, other: string): HTMLElement {
  const verdict = found.same ? "These reports are of one bug." : "These reports are not of one bug, as far as they show.";
  const links = found.links.map(link => el("li", {}, tag(linkWords(link.how)), " ", inWords(link.evidence)));
  const parted = found.parted.map(rule => el("li", {}, tag(rule.rule), " ", rule.evidence));
  const shared = [...found.features].sort((a, b) => b[1] - a[1]).filter(([, value]) => value > 0.005);
  const rows = shared.map(([name, value]) => line(cell("", featureWords(name)), cell("fit num", percent(value)), cell("fit", bar(value))));
  const probability = found.score === null ? null : mute(`  By what they have in common alone: ${percent(found.score)} (65 % is needed).`);
  return el("section", {class: "same", "aria-label": "Comparison"}, el("h3", {}, "Same bug?"), facts([["First", one], ["Second", other]]),
    el("p", {}, el("strong", {}, verdict), probability), links.length ? el("ul", {}, links) : null,
    parted.length ? [el("p", {}, found.same ? "Rules that would keep them apart:" : "What keeps them apart:"), el("ul", {}, parted)] : null,
    section("In common", "", table(["what", ">equal", ">.bar"], rows)));
}

interface Run { outcome: string; title?: string; count: number }
export interface Audit {
  kind: string; trust: string; p_wrong?: number; culprit: string | null; subject?: string; doubts?: {text: string; weight: number}[];
  steps: {commit: string; subject?: string; release?: string; runs: Run[]; verdict: string; audited_verdict: string; why?: string}[];
  audited: {culprit: string | null; contradiction?: string; resume?: string[]};
}

export function auditPage(audit: Audit, text: string): Child[] {
  const runs = (list: Run[]) => list.map(run => el("div", {}, `${run.count} × ${run.outcome}`, run.title ? mute(`  ${run.title}`) : null));
  const rows = audit.steps.map(step => {
    const differs = step.verdict !== step.audited_verdict;
    return line(cell("fit mono", step.commit.slice(0, 12)), cell("", step.subject ?? "", step.release ? mute("  " + step.release) : null), cell("", runs(step.runs ?? [])),
      cell("fit", step.verdict), cell("fit" + (differs ? " wrong" : ""), step.audited_verdict), cell("mute", step.why ?? ""));
  });
  return [
    el("header", {class: "head"}, el("h2", {}, `Bisection of a ${audit.kind}`), el("p", {class: "tags"}, tag(audit.trust, audit.trust === "sound" ? "kind" : "bad"))),
    facts([
      ["Named", audit.culprit ? [code(audit.culprit), " ", audit.subject ?? ""] : "no commit"],
      ["Wrong", audit.p_wrong === undefined ? "" : `with a probability of ${percent(audit.p_wrong)}`],
      ["Clues", (audit.doubts ?? []).map(doubt => el("div", {}, mute(doubt.weight > 0 ? "against  " : "for  "), doubt.text))],
      ["Audited", audit.audited.culprit ? code(audit.audited.culprit) : audit.audited.contradiction ?? ""],
      ["Resume", (audit.audited.resume ?? []).map(command => el("div", {class: "mono"}, command))],
    ]),
    section("Steps", "", table(["commit", "subject", "runs", "verdict", "audited", "why"], rows)),
    folded("Audit as text", text),
  ];
}
