// The report of a run: one HTML file that needs nothing else, with the curves and the grids as a timeline.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '@zeuxis/pictures';

/** A line of metrics.jsonl: pictures shown, seconds of training, and what that kind of training measures. */
export interface Metric {
  images: number;
  seconds: number;
  [name: string]: number;
}

/** A chart of a report: each line is one of the metrics over the pictures shown. */
export interface Curve {
  title: string;
  lines: readonly { name: string; metric: string }[];
}
/** A line by its name and, where it is another, its metric's. */
export const line = (name: string, metric = name) => ({ name, metric });

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [560, 180, 56, 20];
const COLOURS = ['#b4371b', '#1f6f8b'];

export const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const short = (value: number) => (Math.abs(value) >= 1000 ? `${Math.round(value / 100) / 10}k` : String(Number(value.toPrecision(3))));

/** Averages neighbours until at most `most` points are left: a curve has no more pixels than that. */
function thin(values: [number, number][], most = 280): [number, number][] {
  const step = Math.ceil(values.length / most);
  if (step <= 1) return values;
  const out: [number, number][] = [];
  for (let i = 0; i < values.length; i += step) {
    const part = values.slice(i, i + step);
    out.push([part.at(-1)![0], part.reduce((sum, [, y]) => sum + y, 0) / part.length]);
  }
  return out;
}

/** A round number at or above a value: 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value * 0.999)!;
}

/** A line chart as SVG; nothing where there is nothing to show. */
function chart({ title, lines }: Curve, metrics: readonly Metric[], unit: string): string {
  const values = (name: string) => metrics.flatMap((m): [number, number][] => (m[name] === undefined ? [] : [[m.images, m[name]]]));
  const thinned = lines.map(({ name, metric }) => ({ name, values: thin(values(metric)) }));
  const points = thinned.flatMap(({ values }) => values);
  if (points.length === 0) return '';
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [right, step] = [Math.max(...xs), roundUp(Math.max(...ys.map(Math.abs), 1e-3) / 2)];
  const low = Math.min(0, Math.floor(Math.min(...ys) / step) * step);
  const high = Math.max(step, Math.ceil(Math.max(...ys) / step) * step);
  const x = (value: number) => LEFT + (value / (right || 1)) * (WIDTH - LEFT - 8);
  const y = (value: number) => 8 + (1 - (value - low) / (high - low)) * (HEIGHT - BOTTOM - 8);
  const path = (values: [number, number][]) =>
    values.map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join('');
  const marks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step).map(
    (v) => `<line x1="${LEFT}" x2="${WIDTH}" y1="${y(v)}" y2="${y(v)}" stroke="#ddd"/><text x="${LEFT - 6}" y="${y(v) + 4}" text-anchor="end">${short(v)}</text>`,
  );
  const stroke = (values: [number, number][], colour: string) =>
    values.length === 1
      ? `<circle cx="${x(values[0]![0])}" cy="${y(values[0]![1])}" r="3" fill="${colour}"/>`
      : `<path d="${path(values)}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
  const legend = thinned.length > 1 ? thinned.map(({ name }, i) => `<span style="color:${COLOURS[i]}">${escapeHtml(name)}</span>`).join(' ') : '';
  return `<figure><figcaption>${escapeHtml(title)} ${legend}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">${marks.join('')}<text x="${WIDTH}" y="${HEIGHT - 4}" text-anchor="end">${short(right)} ${escapeHtml(unit)}</text>${thinned.map(({ values }, i) => stroke(values, COLOURS[i]!)).join('')}</svg></figure>`;
}

/** The lines of metrics.jsonl; a last line cut short by a crash is left out. */
export async function readMetrics(folder: string): Promise<Metric[]> {
  const text = await readFile(join(folder, 'metrics.jsonl'), 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Metric];
    } catch {
      return [];
    }
  });
}

/** Most grids kept in a report: more would only make it heavy. */
const MOST_GRIDS = 24;

export interface ReportPage {
  title: string;
  /** What stands in the table at the top. */
  facts: Record<string, string>;
  curves: readonly Curve[];
  /** What a row of the grids is, and what is counted: 'latent' and 'pictures', for one. */
  row: string;
  unit: string;
  /** What the grids' columns show, in their order; empty where there are no labels. */
  columns: string[];
}

/** Writes report.html from a run folder's metrics.jsonl and grids. */
export async function writeReport(folder: string, { title, facts, columns, row, unit, curves }: ReportPage): Promise<void> {
  const metrics = await readMetrics(folder);
  const names = (await readdir(join(folder, 'grids')).catch(() => [])).filter((name) => name.endsWith('.webp')).sort();
  const chosen = names.filter((_, i) => i === names.length - 1 || i % Math.ceil(names.length / MOST_GRIDS) === 0);
  const grids = await Promise.all(
    chosen.map(async (name) => ({
      images: Number.parseInt(name, 10),
      data: `data:image/webp;base64,${(await readFile(join(folder, 'grids', name))).toString('base64')}`,
    })),
  );
  const rows = Object.entries(facts).map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`);
  const last = grids.length - 1;
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:1180px;margin:2rem auto;padding:0 1rem;color:#222}h1{font-size:1.3rem}
th{text-align:left;padding-right:1.5rem;font-weight:500;color:#666;vertical-align:top}svg{width:100%;height:auto;font-size:11px;fill:#666}
.curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:1rem}figure{margin:0}figcaption{font-weight:500}
img{max-width:100%;image-rendering:pixelated;border:1px solid #ddd}input{width:min(100%,700px)}</style>
<h1>${escapeHtml(title)}</h1><table>${rows.join('')}</table>
${last < 0 ? '' : `<h2>Samples over time</h2><label>after <output id="n">${grids[last]!.images}</output> ${escapeHtml(unit)}<br><input id="t" type="range" min="0" max="${last}" value="${last}"></label><br><img id="g" alt="a grid of samples" src="${grids[last]!.data}">${columns.length > 0 ? `<p>Columns: ${columns.map(escapeHtml).join(', ')}. A row is one ${escapeHtml(row)}.</p>` : ''}`}
<h2>Curves</h2><div class="curves">${curves.map((curve) => chart(curve, metrics, unit)).join('')}</div>
<script>const grids=${JSON.stringify(grids)};const t=document.getElementById('t');if(t)t.oninput=()=>{const{images,data}=grids[t.value];document.getElementById('g').src=data;document.getElementById('n').textContent=images}</script></html>`;
  await writeWhole(join(folder, 'report.html'), html);
}
