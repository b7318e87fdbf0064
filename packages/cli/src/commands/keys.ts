import type { KeysResult } from '@zeuxis/verbs';
import type { Command } from 'commander';
import { common } from '../options.js';
import { answer, type Common } from '../terminal.js';

interface UseOptions extends Common {
  certificate?: string;
  key?: string;
  keyVariable?: string;
  command?: string;
  url?: string;
  local?: boolean;
  timestamp?: string;
}

const DONE = {
  created: 'made a root and a signing key',
  rotated: "made a new signing key of this machine's own",
  'root rotated': "made a new signing key of this machine's own, under a new root: whoever trusts the old one does not yet trust this",
  changed: 'changed who signs',
  'watermark created': "made a key for watermarks: nobody else's zeuxis sees them from now on",
  'watermark rotated': 'made a new key for watermarks; the old one is still looked for',
  'watermark changed': 'changed what marks pictures',
};

function watermarkLine({ kind, fingerprint, key, former }: KeysResult['watermark']): string {
  const earlier = former === 0 ? '' : `; ${former} of yours from before ${former === 1 ? 'is' : 'are'} looked for too`;
  return `watermark    ${kind === 'public' ? 'the key that every Zeuxis knows' : `your own key ${fingerprint} in ${key}`}${earlier}`;
}

function lines({ folder, kind, key, algorithm, timestamp, certificates, watermark, done }: KeysResult): string[] {
  const said = [...(done ? [DONE[done]] : []), ...((done === 'rotated' || done === 'root rotated') && kind === 'configured' ? ['it is not in use: a certificate that was brought along signs'] : [])];
  const stamps = timestamp === undefined ? [] : [`time-stamps  ${timestamp}`];
  if (kind === 'none') return [...said, ...stamps, `no key yet in ${folder}: the first picture makes one, or \`zeuxis keys create\` does`, watermarkLine(watermark)];
  return [
    ...said,
    `signs        ${kind === 'local' ? "this machine's own key, which nobody else trusts" : 'a certificate that was brought along'}`,
    `key          ${algorithm} in ${key}`,
    ...stamps,
    ...certificates.flatMap(({ subject, issuer, validFrom, validTo, sha256 }) => [`certificate  ${subject}`, `  issued by  ${issuer}`, `  valid      ${validFrom} to ${validTo}`, `  SHA-256    ${sha256}`]),
    watermarkLine(watermark),
  ];
}

const show = (options: Common, result: KeysResult) => answer(options, result, lines(result));

interface WatermarkUse extends Common {
  key?: string;
  keyVariable?: string;
  own?: boolean;
  public?: boolean;
}

function watermarkCommand(keys: Command): void {
  const watermark = keys.command('watermark').description('the key of the watermark: the one that every Zeuxis knows, or one of your own, by which nobody else sees it');
  common(watermark.command('show', { isDefault: true }))
    .description('which key marks pictures: its fingerprint, never the key')
    .action(async (options: Common) => show(options, await (await import('@zeuxis/verbs')).showKeys()));
  common(watermark.command('create'))
    .description('make one of your own where there is none, and mark with it')
    .action(async (options: Common) => show(options, await (await import('@zeuxis/verbs')).createWatermarkKey()));
  common(watermark.command('rotate'))
    .description('mark with a new one; `verify` still looks for the old one')
    .action(async (options: Common) => show(options, await (await import('@zeuxis/verbs')).rotateWatermarkKey()));
  common(watermark.command('use'))
    .description('mark with a key that you bring, with the newest that was made here, or with the one that every Zeuxis knows')
    .option('--key <file>', 'at least 16 bytes, for your eyes only')
    .option('--key-variable <name>', 'environment variable that holds it')
    .option('--own', 'the newest that was made here')
    .option('--public', 'the one that every Zeuxis knows')
    .action(async ({ key, keyVariable, own, public: shared, ...options }: WatermarkUse) => {
      const uses = [key !== undefined && { file: key }, keyVariable !== undefined && { variable: keyVariable }, own && ('own' as const), shared && ('public' as const)].filter((use) => use !== false && use !== undefined);
      if (uses.length !== 1) watermark.error('give one of --key, --key-variable, --own and --public', { exitCode: 2 });
      show(options, await (await import('@zeuxis/verbs')).useWatermarkKey(uses[0]!));
    });
}

export function keysCommand(program: Command): void {
  const keys = program.command('keys').summary('who signs and marks the pictures').description('who signs and marks the pictures: show, make and rotate keys, or bring a certificate');
  watermarkCommand(keys);
  common(keys.command('show', { isDefault: true }))
    .description('who signs, until when; no key is ever shown')
    .action(async (options: Common) => show(options, await (await import('@zeuxis/verbs')).showKeys()));
  common(keys.command('create'))
    .description('make a root and a signing key where there are none')
    .action(async (options: Common) => show(options, await (await import('@zeuxis/verbs')).createKeys()));
  common(keys.command('rotate'))
    .description("replace this machine's signing key; what it signed stays trusted here")
    .option('--root', 'a new root as well')
    .action(async ({ root, ...options }: Common & { root?: boolean }) => show(options, await (await import('@zeuxis/verbs')).rotateKeys({ root: root === true })));
  common(keys.command('use'))
    .description('sign with a certificate of an authority, or with this machine again')
    .option('--certificate <file>', "PEM: the signer's certificate, then its issuers")
    .option('--key <file>', 'PEM, for your eyes only; a passphrase in ZEUXIS_KEY_PASSPHRASE')
    .option('--key-variable <name>', 'environment variable that holds the key in PEM')
    .argument('[arguments...]', 'of the program of --command, after --')
    .option('--command <program>', 'a program that signs a digest: its bytes on standard input, the algorithm as last argument, the signature on standard output')
    .option('--url <address>', 'a service that signs: POST {"algorithm", "digest"} in base64, answers {"signature"}; ZEUXIS_SIGN_AUTHORIZATION is sent along')
    .option('--local', "this machine's own key again")
    .option('--timestamp <address>', 'a time-stamp authority (RFC 3161) that is asked for each signature')
    .action(async (words: string[], { certificate, key, keyVariable, command, url, local, timestamp, ...options }: UseOptions) => {
      const places = [key && { file: key }, keyVariable && { variable: keyVariable }, command && { command: [command, ...words] }, url && { url }].filter((place) => place !== undefined && place !== '');
      if (local ? certificate !== undefined || places.length > 0 : certificate === undefined || places.length !== 1)
        keys.error('give --certificate and one of --key, --key-variable, --command and --url; or --local alone', { exitCode: 2 });
      if (words.length > 0 && command === undefined) keys.error(`'${words[0]}' is no option; words after -- are for the program of --command`, { exitCode: 2 });
      if (timestamp !== undefined && !(URL.canParse(timestamp) && /^https?:/.test(timestamp))) keys.error('--timestamp must be an address: http:// or https://', { exitCode: 2 });
      const { useKeys } = await import('@zeuxis/verbs');
      const signer = local ? {} : { signer: { certificate: certificate!, key: places[0] as { file: string } } };
      show(options, await useKeys({ ...signer, ...(timestamp === undefined ? {} : { timestamp }) }));
    });
}
