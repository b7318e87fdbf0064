// What a certificate must be to sign pictures: C2PA 2.2, "X.509 certificates" (14.5), which its validators hold everyone to. Checked before
// any work, so that nobody finds out after an hour that what he made is not trusted.

import { type KeyObject, X509Certificate } from 'node:crypto';
import { UserError } from '@zeuxis/pictures';

/** An algorithm of C2PA's list (13.2): its name there, its number in COSE (RFC 9053), and the digest that is signed. */
export interface Algorithm {
  name: 'es256' | 'es384' | 'es512' | 'ps256' | 'ed25519';
  cose: number;
  /** Undefined where the message itself is signed. */
  digest?: 'sha256' | 'sha384' | 'sha512';
}

const CURVES: Record<string, Algorithm> = {
  prime256v1: { name: 'es256', cose: -7, digest: 'sha256' },
  secp384r1: { name: 'es384', cose: -35, digest: 'sha384' },
  secp521r1: { name: 'es512', cose: -36, digest: 'sha512' },
};
const LEAST_RSA = 2048;

/** @throws UserError for keys that C2PA does not take. */
export function algorithmOf(key: KeyObject, where: string): Algorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  if (type === 'ed25519') return { name: 'ed25519', cose: -8 };
  const curve = type === 'ec' ? CURVES[details.namedCurve ?? ''] : undefined;
  if (curve) return curve;
  if ((type === 'rsa' || type === 'rsa-pss') && (details.modulusLength ?? 0) >= LEAST_RSA) return { name: 'ps256', cose: -37, digest: 'sha256' };
  throw new UserError(`the key of ${where} is ${type ?? 'unknown'} ${details.namedCurve ?? details.modulusLength ?? ''}, which cannot sign pictures; use P-256, P-384, P-521, Ed25519, or RSA of ${LEAST_RSA} bits or more`);
}

/** What a certificate may be for: e-mail protection, document signing, C2PA claim signing. */
const PURPOSES = ['1.3.6.1.5.5.7.3.4', '1.3.6.1.5.5.7.3.36', '1.3.6.1.4.1.62558.2.1'];

const ANY_PURPOSE = '2.5.29.37.0';

/** Certificates of a PEM text, in its order. @throws UserError where there is none, or one is damaged. */
export function readChain(pem: string, where: string): X509Certificate[] {
  const texts = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (texts.length === 0) throw new UserError(`${where} holds no certificate in PEM`);
  return texts.map((text, i) => {
    try {
      return new X509Certificate(text);
    } catch {
      throw new UserError(`certificate ${i + 1} in ${where} is damaged`);
    }
  });
}

const nameOf = ({ subject }: X509Certificate): string => /^CN=(.*)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ');
const selfSigned = (certificate: X509Certificate): boolean => certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);

/**
 * Checks a chain, the signer first, each issued by the next.
 * @throws UserError for what is expired or not valid yet, a signer that is an authority, self-signed, or for another purpose, and certificates that
 * do not belong together.
 */
export async function checkChain(chain: readonly X509Certificate[], where: string, now = Date.now()): Promise<void> {
  const [leaf] = chain as [X509Certificate];
  const refuse = (why: string): never => {
    throw new UserError(`${where}: ${why}`);
  };
  for (const certificate of chain) {
    if (Date.parse(certificate.validTo) < now) refuse(`the certificate of '${nameOf(certificate)}' expired on ${certificate.validTo}; renew it`);
    if (Date.parse(certificate.validFrom) > now) refuse(`the certificate of '${nameOf(certificate)}' is not valid before ${certificate.validFrom}; is the clock right?`);
  }
  await import('reflect-metadata');
  const { AuthorityKeyIdentifierExtension, BasicConstraintsExtension, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension, X509Certificate: Parsed } = await import('@peculiar/x509');
  const parsed = new Parsed(leaf.raw);
  if (parsed.getExtension(BasicConstraintsExtension)?.ca) refuse(`the first certificate, '${nameOf(leaf)}', is an authority's; put the signer's first`);
  if (selfSigned(leaf)) refuse(`the certificate of '${nameOf(leaf)}' is signed by itself, which no validator accepts; an authority must have issued it`);
  // Nobody could follow it up, and not even one's own pictures would be trusted.
  if (chain.length === 1) refuse(`it holds the certificate of '${nameOf(leaf)}' alone; put those of its issuers after it`);
  for (const [i, certificate] of chain.slice(0, -1).entries()) {
    const issuer = chain[i + 1]!;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) refuse(`'${nameOf(certificate)}' was not issued by '${nameOf(issuer)}', which follows it; order the chain from the signer up`);
  }
  if (!((parsed.getExtension(KeyUsagesExtension)?.usages ?? 0) & KeyUsageFlags.digitalSignature)) refuse(`the certificate of '${nameOf(leaf)}' is not for digital signatures`);
  const purposes = (parsed.getExtension(ExtendedKeyUsageExtension)?.usages ?? []).map(String);
  if (!parsed.getExtension(AuthorityKeyIdentifierExtension)) refuse(`the certificate of '${nameOf(leaf)}' does not name its issuer's key (authority key identifier), which C2PA asks for`);
  if (purposes.includes(ANY_PURPOSE)) refuse(`the certificate of '${nameOf(leaf)}' is for any purpose, which C2PA forbids; ask for one for e-mail protection or document signing`);
  if (!purposes.some((purpose) => PURPOSES.includes(purpose))) refuse(`the certificate of '${nameOf(leaf)}' is for ${purposes.join(', ') || 'nothing it names'}, not for e-mail protection, document signing or C2PA; ask for one that is`);
  const { hash } = parsed.signatureAlgorithm as { hash?: { name?: string } };
  if (/sha-?1$|md5/i.test(hash?.name ?? '')) refuse(`the certificate of '${nameOf(leaf)}' is signed with ${hash!.name}, which is broken`);
}

/** What goes into a picture, DER: without a root, which whoever verifies must have himself. */
export const embedded = (chain: readonly X509Certificate[]): Uint8Array[] => chain.filter((certificate, i) => i === 0 || !selfSigned(certificate)).map(({ raw }) => raw);

/** What is to be trusted for one's own pictures to be: the highest of the chain, PEM. */
export const anchorOf = (chain: readonly X509Certificate[]): string => chain.at(-1)!.toString();
