// SPDX-License-Identifier: Apache-2.0
// The result of a bench as one HTML page with SVG in it, which needs nothing else.
import type { StartupResult, StartupRow } from './startup.ts';

const WIDTH = 900;
const LABEL = 200;
const ROW = 34;
const DOT = 3;
const COLOURS = [
  '#4878a8',
  '#e08214',
  '#5a9e5a',
  '#b2455a',
  '#7d67ab',
  '#8c6d4f',
  '#d37fb0',
  '#6b7a86',
  '#a8a232',
  '#3aa3ad',
];

/** Every run as a dot, the medians as lines, and below where hrun's own starts spend their time. */
export function startupPage(result: StartupResult): string {
  const { host, image, command, events, date, rows } = result;
  const title = `Start-up latency: ${command} in ${image}`;
  const where = `${host.cpu}, ${host.cpus} CPUs, Linux ${host.kernel}, ${date}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${html(title)}</title>
<style>body{font:14px system-ui,sans-serif;max-width:${WIDTH}px;margin:2em auto;color:#222}svg{width:100%}text{font-size:12px}
td,th{padding:2px 12px 2px 0;text-align:right}td:first-child,th:first-child{text-align:left}</style></head><body>
<h1>${html(title)}</h1><p>${html(`From ${events}. ${where}.`)}</p>
${distribution(rows)}
${table(result)}
<h2>Stages of hrun</h2><p>Medians of traced runs.</p>
${stages(rows.filter((row) => row.stages.length > 0))}
${result.absent.map((line) => `<p>Not measured: ${html(line)}</p>`).join('\n')}
</body></html>
`;
}

function distribution(rows: readonly StartupRow[]): string {
  const most = Math.max(...rows.flatMap(({ times }) => times));
  const x = scale(most);
  const bands = rows.map((row, index) => {
    const y = index * ROW + ROW / 2;
    const dots = row.times.map((ms, run) => {
      const offset = ((run % 5) - 2) * DOT;
      return `<circle cx="${x(ms)}" cy="${y + offset}" r="${DOT}" fill="${colour(index)}" opacity="0.45"/>`;
    });
    const median = `<line x1="${x(row.p50)}" x2="${x(row.p50)}" y1="${y - 13}" y2="${y + 13}" stroke="#222" stroke-width="2"/>`;
    return `${label(row.name, y)}${dots.join('')}${median}`;
  });
  return svg(rows.length, `${bands.join('\n')}${axis(most, rows.length)}`);
}

function stages(rows: readonly StartupRow[]): string {
  const total = (row: StartupRow) => row.stages.reduce((sum, { ms }) => sum + ms, 0);
  const most = Math.max(0, ...rows.map(total));
  const x = scale(most);
  const names = [...new Set(rows.flatMap((row) => row.stages.map((stage) => stage.label)))];
  const bars = rows.map((row, index) => {
    let at = 0;
    const parts = row.stages.map((stage) => {
      const begin = at;
      at += stage.ms;
      const fill = colour(names.indexOf(stage.label));
      const size = `x="${x(begin)}" y="${index * ROW + 5}" width="${Math.max(0, x(at) - x(begin))}" height="${ROW - 10}"`;
      return `<rect ${size} fill="${fill}"><title>${html(`${stage.label}: ${stage.ms.toFixed(1)} ms`)}</title></rect>`;
    });
    return `${label(row.name, index * ROW + ROW / 2)}${parts.join('')}`;
  });
  const legend = names.map(
    (name, index) => `<span style="color:${colour(index)}">&#9632;</span> ${html(name)}`,
  );
  return `${svg(rows.length, `${bars.join('\n')}${axis(most, rows.length)}`)}<p>${legend.join(' &nbsp; ')}</p>`;
}

function table({ rows, baseline }: StartupResult): string {
  const head = `<tr><th></th><th>n</th><th>min</th><th>p50</th><th>p90</th><th>p99 (ms)</th><th>to ${html(baseline)}</th></tr>`;
  const lines = rows.map((row) => {
    const times = [row.min, row.p50, row.p90, row.p99].map((ms) => `<td>${ms.toFixed(1)}</td>`).join('');
    return `<tr><td>${html(row.name)}</td><td>${row.runs}</td>${times}<td>${html(ratioText(row))}</td></tr>`;
  });
  return `<table>${head}${lines.join('')}</table>`;
}

/** `1.25 (1.20 to 1.31)`; 1 for the baseline. */
export function ratioText({ ratio }: Pick<StartupRow, 'ratio'>): string {
  if (!ratio) return '1';
  return `${ratio.ratio.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`;
}

/** Milliseconds to pixels. */
function scale(most: number): (ms: number) => number {
  return (ms) => Number((LABEL + (ms / (most || 1)) * (WIDTH - LABEL - 20)).toFixed(1));
}

function axis(most: number, count: number): string {
  const x = scale(most);
  const step = 10 ** Math.floor(Math.log10(most || 1));
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
  const y = count * ROW;
  return ticks
    .map(
      (ms) =>
        `<line x1="${x(ms)}" x2="${x(ms)}" y1="0" y2="${y}" stroke="#ddd"/><text x="${x(ms)}" y="${y + 14}" text-anchor="middle">${ms} ms</text>`,
    )
    .join('');
}

function svg(count: number, content: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${count * ROW + 22}" xmlns="http://www.w3.org/2000/svg">${content}</svg>`;
}

function label(name: string, y: number): string {
  return `<text x="0" y="${y + 4}">${html(name)}</text>`;
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

function html(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
