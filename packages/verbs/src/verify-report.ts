// The report of `verify`: one HTML file that needs nothing else, each picture beside what was found of it.

import { readFile } from 'node:fs/promises';
import { thumbnailOf, writeWhole } from '@zeuxis/pictures';
import { type Answer, type Finding, sayHuman } from '@zeuxis/provenance';
import { escapeHtml } from './train/report.js';
import type { VerifyResult } from './verify.js';

const MEANS: Record<Finding, string> = {
  signed: 'credentials that hold',
  tampered: 'credentials that do not hold',
  watermark: 'no credentials, but a watermark',
  claimed: 'metadata that anybody can write',
  similar: 'looks like one in the ledger',
  nothing: 'nothing found, which proves nothing',
};
const COLOUR: Record<Finding, string> = { signed: '#1b6e3c', tampered: '#b4371b', watermark: '#1f5aa8', claimed: '#8a6d00', similar: '#6b4aa0', nothing: '#666' };

function facts({ verdict, signer, trusted, state, sourceType, models, ingredients, learnedFrom, human, watermark, record, problems, manifest }: Answer): [string, string][] {
  // How a picture came about that this one only looks like says nothing of this one.
  const own = verdict === 'similar' ? undefined : record;
  const rows: [string, string | undefined][] = [
    ['signer', signer && `${signer}${state === 'invalid' ? '' : trusted ? ', trusted here' : ', whom nothing here vouches for'}`],
    ['problems', problems.length > 0 ? problems.join(', ') : undefined],
    ['source type', sourceType?.split('/').at(-1)],
    ['models', (models ?? own?.models.map(({ name }) => name))?.join(', ')],
    ['learned from', learnedFrom?.join(', ')],
    ['by a person', human && sayHuman(human)],
    ['made from', ingredients?.join(', ') ?? own?.parent?.title],
    ['watermark', watermark && `${watermark.id} (${watermark.bits} bits, ${watermark.key} key)`],
    ['in the ledger', record && `${record.name}, ${record.time}, SHA-256 ${record.sha256}`],
    ['manifest kept', manifest],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== undefined);
}

export async function writeAnswers(path: string, { answers, failures }: VerifyResult): Promise<void> {
  const cards: string[] = [];
  for (const answer of answers) {
    const { file, verdict, summary } = answer;
    // It may be gone by now.
    const shown = await readFile(file).then(thumbnailOf, () => undefined);
    const rows = facts(answer).map(([name, value]) => `<tr><th>${name}</th><td>${escapeHtml(value)}</td></tr>`);
    cards.push(
      `<article><div>${shown ? `<img alt="" src="data:image/webp;base64,${shown.toString('base64')}">` : ''}</div><section><strong style="background:${COLOUR[verdict]}">${verdict}</strong> <small>${MEANS[verdict]}</small><h2>${escapeHtml(file)}</h2><p>${escapeHtml(summary)}</p><table>${rows.join('')}</table></section></article>`,
    );
  }
  const counts = (Object.keys(MEANS) as Finding[]).map((kind) => [answers.filter(({ verdict }) => verdict === kind).length, kind] as const).filter(([n]) => n > 0).map(([n, kind]) => `${n} ${kind}`);
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Where these pictures are from</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#222}h1{font-size:1.3rem}h2{font-size:1rem;margin:.4rem 0 0;overflow-wrap:anywhere}p{margin:.3rem 0}
article{display:flex;gap:1rem;border-top:1px solid #ddd;padding:1rem 0}article>div{flex:0 0 240px}img{min-width:128px;max-width:240px;image-rendering:pixelated;background:#eee}section{min-width:0}strong{color:#fff;border-radius:3px;padding:.1rem .5rem}small{color:#666}
th{text-align:left;padding-right:1rem;font-weight:500;color:#666;vertical-align:top;white-space:nowrap}td{overflow-wrap:anywhere}</style>
<h1>Where these pictures are from</h1><p>${escapeHtml(`${counts.join(', ')}${failures.length > 0 ? `; ${failures.length} could not be read` : ''}`)}</p>
${cards.join('\n')}
${failures.length > 0 ? `<h2>Not read</h2><ul>${failures.map(({ file, error }) => `<li>${escapeHtml(`${file}: ${error.message.split('\n')[0]}`)}</li>`).join('')}</ul>` : ''}</html>`;
  await writeWhole(path, html);
}
