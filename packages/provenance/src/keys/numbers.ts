import { randomBytes } from 'node:crypto';

/** Sixteen random bytes as an integer of DER: positive, and never shortened by a leading zero. For serial numbers and nonces. */
export function randomInteger(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}
