// What credentials say, in words for people.

/** A check that failed, in C2PA's code, and of which part. */
export interface Fault {
  code: string;
  url?: string;
}

const UNTRUSTED = 'signingCredential.untrusted';
/** Credentials that lie elsewhere, of which nothing is known: no network is asked. */
const ELSEWHERE = 'manifest.inaccessible';
const isFault = ({ code }: Fault) => code !== UNTRUSTED && code !== ELSEWHERE;

/** C2PA 2.x, failure codes: those in which a change of a signed file ends, and what was changed. */
const CHANGED: Record<string, string> = {
  'assertion.dataHash.mismatch': 'the picture is not the one that was signed',
  'assertion.bmffHash.mismatch': 'the picture is not the one that was signed',
  'assertion.hashedURI.mismatch': 'what it says is not what was signed',
  'assertion.missing': 'a part of what was signed is missing',
  'claimSignature.mismatch': 'the signature is not of these credentials',
  'claimSignature.missing': 'the signature is missing',
  'ingredient.manifest.mismatch': 'the credentials of what it was made from are not those that were signed',
  'ingredient.manifest.missing': 'the credentials of what it was made from are missing',
};

/** What failed and where, but for what is no fault of the file; empty where nothing is. */
export function sayFaults(failed: readonly Fault[]): string {
  const said = failed.filter(isFault).map(({ code, url }) => {
    const words = CHANGED[code];
    const part = code.startsWith('assertion.hashedURI') ? url?.split('/').at(-1) : undefined;
    return words ? `${words} (${code}${part ? ` of ${part}` : ''})` : code;
  });
  return [...new Set(said)].join(', ');
}

/** What was wrong with the credentials of what a picture was made from, to stand behind the rest of a sentence. */
export function sayEarlier(title: string, failed: readonly Fault[]): string {
  const faults = sayFaults(failed);
  if (faults !== '') return `; '${title}' itself had been tampered with, or signed wrongly, before that: ${faults}`;
  return failed.some(({ code }) => code === ELSEWHERE) ? `; '${title}' names credentials elsewhere, which were not asked for` : '';
}

/** IPTC NewsCodes, digital source types, of what others sign: it is what they say, and so it is told. */
const SOURCES: Record<string, string> = {
  algorithmicMedia: 'made by an algorithm, without a trained model',
  algorithmicallyEnhanced: 'enhanced by an algorithm',
  composite: 'put together of several',
  compositeCapture: 'put together of several photographs',
  compositeSynthetic: 'put together, in part of what no camera took',
  computationalCapture: 'a photograph, computed of several',
  dataDrivenMedia: 'drawn by software from data',
  digitalArt: 'made by a person with software',
  digitalCapture: 'a photograph',
  digitalCreation: 'made by a person with software',
  humanEdits: 'edited by a person',
  minorHumanEdits: 'edited by a person, a little',
  negativeFilm: 'a photograph, scanned from a negative',
  positiveFilm: 'a photograph, scanned from a slide',
  print: 'scanned from paper',
  screenCapture: 'a picture of a screen',
  virtualRecording: 'recorded in a virtual world',
};

/** How a picture came about, by the digital source type of its credentials. */
export function sayOrigin(source: string | undefined, { generation, actions, parent }: { generation: { model: { name: string }; seed: number | string } | undefined; actions: readonly Record<string, unknown>[]; parent: string | undefined }): string {
  const term = source?.split('/').at(-1) ?? '';
  if (/^compositeWithTrainedAlgorithmicMedia$/i.test(term)) {
    const { description } = actions.find(({ digitalSourceType }) => digitalSourceType === source) ?? {};
    return `edited with a model${typeof description === 'string' ? `: ${description}` : ''}${parent === undefined ? '' : `, from '${parent}'`}`;
  }
  const of = generation ? ` ('${generation.model.name}', seed ${generation.seed})` : '';
  if (/^trainedAlgorithmicMedia$/i.test(term)) return `made by a model${of}`;
  const said = Object.hasOwn(SOURCES, term) ? SOURCES[term] : undefined;
  return said ? `said to be ${said}${of}` : `credentials that do not say how it was made${of}`;
}
