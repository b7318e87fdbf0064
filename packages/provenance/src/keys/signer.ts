// Where a signature comes from: a key in a file or in an environment variable, or a signer elsewhere (HSM, KMS), a command or an address that
// is given a digest. A private key is read when it is needed, and goes nowhere from there.

import { spawn } from 'node:child_process';
import { constants, createHash, createPrivateKey, type KeyObject, sign as signBytes, verify as verifyBytes, type X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { UserError } from '@zeuxis/pictures';
import type { Algorithm } from './certificates.js';

/**
 * A `command`, without a shell, is given the digest as bytes on standard input and the algorithm's name as its last argument; it
 * prints the signature, as bytes or in base64. A `url` is posted {"algorithm": "es256", "digest": base64} and answers {"signature": base64};
 * ZEUXIS_SIGN_AUTHORIZATION is sent along as the header Authorization. Signatures of ECDSA may be plain (r and s) or DER.
 */
export type KeyPlace = { file: string } | { variable: string } | { command: string[] } | { url: string };

/**
 * @throws UserError for what can be no place of a key: a key itself above all, which somebody might give in place of its place, and which must not be
 * quoted; and an address that sends the permission to sign in clear.
 */
export function checkPlace(place: KeyPlace): void {
  const text = 'file' in place ? place.file : 'variable' in place ? place.variable : 'url' in place ? place.url : place.command.join(' ');
  if (/PRIVATE KEY|[\r\n\0]/.test(text)) throw new UserError('a key itself was given; say where it is: the file, or the name of the environment variable');
  if ('variable' in place && !/^[A-Za-z_]\w*$/.test(place.variable)) throw new UserError('what was given is no name of an environment variable, which has letters, digits and _; put the key into one and give its name');
  if ('url' in place) {
    const { protocol, hostname } = URL.canParse(place.url) ? new URL(place.url) : { protocol: '', hostname: '' };
    if (hostname === '' || !(protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname))))
      throw new UserError('the address of a signer must begin with https://, for whoever reads the permission that is sent to it can sign');
  }
}

export type Sign = (bytes: Uint8Array) => Promise<Uint8Array>;

/** The place, for people; no key and nothing that could be one. */
export const placeText = (place: KeyPlace): string =>
  'file' in place ? `the file '${place.file}'` : 'variable' in place ? `the variable ${place.variable}` : 'command' in place ? `the command '${place.command[0]}'` : `the address ${new URL(place.url).origin}`;

const PASSPHRASE = 'ZEUXIS_KEY_PASSPHRASE';
const AUTHORIZATION = 'ZEUXIS_SIGN_AUTHORIZATION';
/** Seconds a signer elsewhere has. */
const PATIENCE = 30;
/** Bytes of the longest signature there is, many times over. */
const LONGEST = 65536;

/**
 * @throws UserError where there is no key, others may read it, it does not belong to the certificate, or a signer elsewhere
 * does not answer with a signature that does.
 */
export async function openSigner(place: KeyPlace, { publicKey }: X509Certificate, algorithm: Algorithm): Promise<Sign> {
  const where = placeText(place);
  const raw: Sign = 'file' in place || 'variable' in place ? localSigner(await readKey(place, where), publicKey, algorithm, where) : remoteSigner(place, algorithm, where);
  const sign: Sign = async (bytes) => {
    const signature = await raw(bytes);
    // An HSM may hold many keys, and a picture signed by the wrong one counts as forged.
    if (!verifyBytes(algorithm.digest ?? null, bytes, options(publicKey, algorithm), signature)) throw new UserError(`the signature of ${where} does not fit the certificate; is it another key's?`);
    return signature;
  };
  if (!('file' in place || 'variable' in place)) await sign(Buffer.from('zeuxis: is the signer there?'));
  return sign;
}

const options = (key: KeyObject, { name }: Algorithm) => ({
  key,
  ...(name.startsWith('es') ? { dsaEncoding: 'ieee-p1363' as const } : {}),
  ...(name === 'ps256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {}),
});

/**
 * What a place holds, byte by byte (latin1).
 * @param what the secret is, for people. @throws UserError where it is missing or others may read it, with the system's error as its cause.
 */
export async function readSecret(place: { file: string } | { variable: string }, where: string, what: string): Promise<string> {
  if ('variable' in place) {
    const text = process.env[place.variable];
    if (!text) throw new UserError(`${where}, which is to hold the ${what}, is not set`);
    return Buffer.from(text).toString('latin1');
  }
  const told = (error: NodeJS.ErrnoException): never => {
    throw new UserError(error.code === 'ENOENT' ? `there is no ${what} in ${where}` : `the ${what} in ${where} cannot be read (${error.code})`, { cause: error });
  };
  const info = await stat(place.file).catch(told);
  if (process.platform !== 'win32' && info.mode & 0o077) throw new UserError(`the ${what} in ${where} can be read by others; chmod 600 it`);
  return readFile(place.file, 'latin1').catch(told);
}

async function readKey(place: { file: string } | { variable: string }, where: string): Promise<KeyObject> {
  const pem = await readSecret(place, where, 'signing key');
  const passphrase = process.env[PASSPHRASE];
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    // Not in OpenSSL's words, which might quote what it was given.
    if (passphrase === undefined && pem.includes('ENCRYPTED')) throw new UserError(`the key in ${where} is encrypted; put its passphrase into ${PASSPHRASE}`);
    throw new UserError(`${where} holds no private key in PEM that can be read${passphrase === undefined ? '' : `, or ${PASSPHRASE} is wrong`}`);
  }
}

function localSigner(key: KeyObject, publicKey: KeyObject, algorithm: Algorithm, where: string): Sign {
  // Compared by what both would verify.
  const probe = Buffer.from('zeuxis');
  const signed = (bytes: Uint8Array) => signBytes(algorithm.digest ?? null, bytes, options(key, algorithm));
  const fits = key.asymmetricKeyType === publicKey.asymmetricKeyType && verifyBytes(algorithm.digest ?? null, probe, options(publicKey, algorithm), signed(probe));
  if (!fits) throw new UserError(`the key in ${where} is not the certificate's`);
  return async (bytes) => signed(bytes);
}

function remoteSigner(place: { command: string[] } | { url: string }, algorithm: Algorithm, where: string): Sign {
  const { name, digest } = algorithm;
  if (!digest) throw new UserError(`${name} signs messages, not digests, so that ${where} cannot sign with it; use a key of another kind`);
  return async (bytes) => {
    const hash = createHash(digest).update(bytes).digest();
    const answer = decoded('command' in place ? await ask(place.command, hash, name, where) : await post(place.url, hash, name, where), where);
    return name.startsWith('es') ? plainSignature(answer, name) : answer;
  };
}

function ask([program, ...args]: string[], digest: Uint8Array, algorithm: string, where: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, [...args, algorithm], { stdio: ['pipe', 'pipe', 'pipe'] });
    // Not spawn's own limit, which ends the program and then waits for whatever that has left behind.
    const limit = setTimeout(() => {
      child.kill();
      child.stdout.destroy();
      child.stderr.destroy();
      reject(new UserError(`${where} did not sign within ${PATIENCE} seconds`));
    }, PATIENCE * 1000);
    const [out, errors]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (part: Buffer) => out.push(part));
    child.stderr.on('data', (part: Buffer) => errors.push(part));
    child.stdin.on('error', () => {});
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(limit);
      reject(new UserError(`${where}, which is to sign, cannot be run (${error.code})`));
    });
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      const said = Buffer.concat(errors).toString('utf8').trim().split('\n').at(-1);
      if (code !== 0) return reject(new UserError(`${where} did not sign (${signal ?? `exit ${code}`})${said ? `: ${said}` : ''}`));
      resolve(Buffer.concat(out));
    });
    child.stdin.end(digest);
  });
}

async function post(url: string, digest: Uint8Array, algorithm: string, where: string): Promise<Buffer> {
  const authorization = process.env[AUTHORIZATION];
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
    body: JSON.stringify({ algorithm, digest: Buffer.from(digest).toString('base64') }),
    signal: AbortSignal.timeout(PATIENCE * 1000),
    // Elsewhere the header with the permission to sign does not belong.
    redirect: 'error',
  }).catch((error: Error) => {
    throw new UserError(`${where}, which is to sign, does not answer (${(error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.name})`);
  });
  if (!response.ok) throw new UserError(`${where} did not sign: it answered ${response.status}`);
  const answer = (await response.json().catch(() => undefined)) as { signature?: unknown } | undefined;
  if (typeof answer?.signature !== 'string') throw new UserError(`${where} did not answer with {"signature": base64}`);
  return Buffer.from(answer.signature);
}

/** Bytes, or the bytes that base64 stands for. */
function decoded(answer: Buffer, where: string): Uint8Array {
  if (answer.length === 0 || answer.length > LONGEST) throw new UserError(`${where} answered with ${answer.length} bytes, which are no signature`);
  // Programs break base64 into lines.
  const text = answer.toString('latin1').replace(/\s+/g, '');
  return /^[A-Za-z0-9+/]+=*$/.test(text) && text.length % 4 === 0 ? Buffer.from(text, 'base64') : answer;
}

/** Bytes of r and of s. */
const HALVES: Record<string, number> = { es256: 32, es384: 48, es512: 66 };

/** r and s side by side, of a DER sequence of the two (RFC 3279), as most HSMs give it; others as they come. */
function plainSignature(signature: Uint8Array, algorithm: string): Uint8Array {
  const half = HALVES[algorithm]!;
  if (signature.length === 2 * half || signature[0] !== 0x30) return signature;
  let at = signature[1]! & 0x80 ? 2 + (signature[1]! & 0x7f) : 2;
  const out = new Uint8Array(2 * half);
  for (const end of [half, 2 * half]) {
    const length = signature[at + 1] ?? 0;
    const integer = signature.subarray(at + 2, at + 2 + length);
    const digits = integer.subarray(Math.max(0, integer.length - half));
    out.set(digits, end - digits.length);
    at += 2 + length;
  }
  return out;
}
