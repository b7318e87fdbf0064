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

const DONE = { created: 'made a root and a signing key', rotated: "made a new signing key of this machine's own", changed: 'changed who signs' };

function lines({ folder, kind, key, algorithm, timestamp, certificates, done }: KeysResult): string[] {
  const said = [...(done ? [DONE[done]] : []), ...(done === 'rotated' && kind === 'configured' ? ['it is not in use: a certificate that was brought along signs'] : [])];
  const stamps = timestamp === undefined ? [] : [`time-stamps  ${timestamp}`];
  if (kind === 'none') return [...said, ...stamps, `no key yet in ${folder}: the first picture makes one, or \`zeuxis keys create\` does`];
  return [
    ...said,
    `signs        ${kind === 'local' ? "this machine's own key, which nobody else trusts" : 'a certificate that was brought along'}`,
    `key          ${algorithm} in ${key}`,
    ...stamps,
    ...certificates.flatMap(({ subject, issuer, validFrom, validTo, sha256 }) => [`certificate  ${subject}`, `  issued by  ${issuer}`, `  valid      ${validFrom} to ${validTo}`, `  SHA-256    ${sha256}`]),
  ];
}

export function keysCommand(program: Command): void {
  const keys = program.command('keys').summary('who signs the pictures').description('who signs the pictures: show, make and rotate keys, or bring a certificate');
  const show = (options: Common, result: KeysResult) => answer(options, result, lines(result));
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
