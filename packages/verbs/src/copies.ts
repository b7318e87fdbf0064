// The report of `evaluate` on copies: one HTML file that needs nothing else, the nearest pairs side by side. It shows
// what was generated, so that this bears the mark of training reports; nothing in it leaves through `publish`.

import { type Dataset, encodePng, encodeReportGrid, interleave, tileSheet, writeWhole } from '@zeuxis/pictures';
import type { EvaluateResult, Memorisation, NearPair } from './evaluate.js';
import { escapeHtml } from './train/report.js';

const inline = (type: string, bytes: Buffer) => `data:image/${type};base64,${bytes.toString('base64')}`;

/** What a threshold stands on, in words. */
function standing({ threshold, calibration: { method, pictures, duplicates, quantile } }: Memorisation): string {
  const left = duplicates > 0 ? `; ${duplicates} more have an equal there and were left out` : '';
  if (quantile === 'none') return `only equal pictures are named: ${pictures} distances are too few to say how near others come${left}`;
  const how = method === 'leave-one-out' ? 'each training picture against all others' : 'pictures of a folder of their own';
  return `${threshold.toPrecision(3)}, by ${pictures} held-out pictures (${how})${quantile === 'extrapolated' ? ', extrapolated from the nearest tenth of them' : ''}${left}`;
}

/** Writes the nearest pairs. @param generated the pairs' generated pictures in their order, planar RGB. */
export async function writePairs(file: string, { model, pictures, memorisation, seed, truncation, features, generated: { generatedCount } }: EvaluateResult, data: Dataset, generated: Uint8Array): Promise<void> {
  const { size } = data;
  const each = 3 * size * size;
  const place = new Map(data.files.map((name, i) => [name, i]));
  const { copied, nearest } = memorisation;
  const named = new Set(copied.map(({ index }) => index));
  const show = async (pair: NearPair, i: number) => {
    const made = await encodeReportGrid(tileSheet(generated.subarray(i * each, (i + 1) * each), 1, size, size));
    const real = await encodePng(interleave(data.read([place.get(pair.file)!]), size, size));
    const what = [pair.label, pair.index].filter((part) => part !== undefined).join(' ');
    return `<figure${named.has(pair.index) ? ' class="copy"' : ''}><div><img alt="generated" src="${inline('webp', made)}"><img alt="of training" src="${inline('png', real)}"></div><figcaption>${named.has(pair.index) ? '<strong>a copy</strong><br>' : ''}${escapeHtml(`${what} and ${pair.mirrored ? 'the mirror image of ' : ''}${pair.file}`)}<br>distance ${pair.distance.toPrecision(3)}, ${pair.ratio.toPrecision(3)} of the threshold</figcaption></figure>`;
  };
  const pairs: string[] = [];
  for (const [i, pair] of nearest.entries()) pairs.push(await show(pair, i));
  const title = `Copies: ${model.name}`;
  const facts = {
    named: `${copied.length} of ${generatedCount} generated pictures (seed ${seed}, truncation ${truncation})`,
    threshold: standing(memorisation),
    pictures: `${data.count} of ${pictures.folder}${memorisation.trainingSet ? '' : ', which is not what the model was trained on'}`,
    features: `${features.name}, SHA-256 ${features.sha256}`,
  };
  const rows = Object.entries(facts).map(([name, value]) => `<tr><th>${name}</th><td>${escapeHtml(value)}</td></tr>`);
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:1180px;margin:2rem auto;padding:0 1rem;color:#222}h1{font-size:1.3rem}
th{text-align:left;padding-right:1.5rem;font-weight:500;color:#666;vertical-align:top}td{overflow-wrap:anywhere}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(260px,1fr));gap:1rem}figure{margin:0;padding:.5rem;border:1px solid #ddd;overflow-wrap:anywhere}
figure.copy{border:2px solid #b4371b}figcaption{font-size:13px}div{display:flex;gap:.5rem;align-items:start}img{width:calc(50% - .25rem);image-rendering:pixelated}</style>
<h1>${escapeHtml(title)}</h1><table>${rows.join('')}</table>
<h2>Nearest pairs</h2><p>Left what was generated, right the training picture that it is nearest to.</p><main>${pairs.join('\n')}</main></html>`;
  await writeWhole(file, html);
}
