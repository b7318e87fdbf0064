// A time-stamp of a signature by an authority (RFC 3161): who sees the picture after the certificate has expired knows that it was signed before.
// The token rides beside the signature as `sigTst2` (C2PA 2.2, 10.3.2.5).

import { createHash } from 'node:crypto';
import { UserError } from '@zeuxis/pictures';
import { randomInteger } from './numbers.js';

/** Seconds an authority has. */
const PATIENCE = 30;
const SHA256 = '2.16.840.1.101.3.4.2.1';
/** Bytes of the longest token that is taken. */
export const LONGEST_TOKEN = 12_288;

/**
 * The token, DER, of an authority for some bytes.
 * @throws UserError where it does not answer, refuses, or answers for something else.
 */
export async function timeStamp(url: string, bytes: Uint8Array): Promise<Uint8Array> {
  const [{ AsnConvert, OctetString }, { MessageImprint, PKIStatus, TimeStampReq, TimeStampResp, TSTInfo }, { AlgorithmIdentifier }, { SignedData }] = await Promise.all([
    import('@peculiar/asn1-schema'),
    import('@peculiar/asn1-tsp'),
    import('@peculiar/asn1-x509'),
    import('@peculiar/asn1-cms'),
  ]);
  const digest = createHash('sha256').update(bytes).digest();
  const nonce = randomInteger();
  const request = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({ hashAlgorithm: new AlgorithmIdentifier({ algorithm: SHA256, parameters: null }), hashedMessage: new OctetString(digest) }),
    nonce: Uint8Array.from(nonce).buffer,
    certReq: true,
  });
  const where = `the time-stamp authority ${new URL(url).origin}`;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: AsnConvert.serialize(request),
    signal: AbortSignal.timeout(PATIENCE * 1000),
  }).catch((error: Error) => {
    throw new UserError(`${where} does not answer (${(error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.name}); try again, or go without: \`zeuxis keys use\` names who signs anew`);
  });
  if (!response.ok) throw new UserError(`${where} gave no time-stamp: it answered ${response.status}`);
  const body = await response.arrayBuffer();
  const refuse = (why: string): never => {
    throw new UserError(`${where} gave no time-stamp: ${why}`);
  };
  let token: Uint8Array;
  let info: InstanceType<typeof TSTInfo>;
  let status: number;
  try {
    const answer = AsnConvert.parse(body, TimeStampResp);
    status = answer.status.status;
    if (status !== PKIStatus.granted && status !== PKIStatus.grantedWithMods) return refuse(`it refused (status ${status})`);
    token = new Uint8Array(AsnConvert.serialize(answer.timeStampToken!));
    const { encapContentInfo } = AsnConvert.parse(answer.timeStampToken!.content, SignedData);
    info = AsnConvert.parse(encapContentInfo.eContent!.single ?? encapContentInfo.eContent!.any!, TSTInfo);
  } catch (error) {
    if (error instanceof UserError) throw error;
    return refuse('its answer is none of RFC 3161');
  }
  const same = (a: ArrayBuffer | undefined, b: Uint8Array) => a !== undefined && Buffer.from(a).equals(b);
  if (!same(info.messageImprint.hashedMessage.buffer, digest) || !same(info.nonce, nonce)) refuse('it is for something else than was asked');
  if (token.length > LONGEST_TOKEN) refuse(`it takes ${token.length} bytes, ${LONGEST_TOKEN} at most are kept`);
  return token;
}
