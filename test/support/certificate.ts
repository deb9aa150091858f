import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';

/** A key and a certificate of its own, made when it is needed: PEM, as TLS takes them. */
export interface Certificate {
  key: string;
  cert: string;
}

/** X.509 in DER: a tag, a length, what it holds. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...size), body]);
}
const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const integer = (...bytes: readonly number[]) => der(0x02, Uint8Array.from(bytes));
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const text = (tag: number, value: string) => der(tag, Buffer.from(value));
const bits = (bytes: Uint8Array) => der(0x03, Uint8Array.of(0), bytes);
const time = (date: string) => text(0x18, date);

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = oid('550403');
const BASIC_CONSTRAINTS = oid('551d13');
const SUBJECT_ALT_NAME = oid('551d11');
const TRUE = der(0x01, Uint8Array.of(0xff));

/** Signed by itself, so that who trusts it trusts it alone. @param host a name, or an IPv4 address. */
export function makeCertificate(host: string): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // Whoever trusts several finds the right one by its name.
  const name = sequence(der(0x31, sequence(COMMON_NAME, text(0x0c, `${host} ${randomUUID()}`))));
  const address = host.split('.').map(Number);
  const isAddress = address.length === 4 && address.every((part) => part >= 0 && part <= 255);
  const alternative = isAddress ? der(0x87, Uint8Array.from(address)) : text(0x82, host);
  const extension = (id: Uint8Array, value: Uint8Array) => sequence(id, TRUE, der(0x04, value));
  const extensions = sequence(
    extension(BASIC_CONSTRAINTS, sequence(TRUE)),
    extension(SUBJECT_ALT_NAME, sequence(alternative)),
  );
  const certified = sequence(
    der(0xa0, integer(2)),
    integer(1),
    ECDSA_WITH_SHA256,
    name,
    sequence(time('20200101000000Z'), time('21200101000000Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signed = sequence(certified, ECDSA_WITH_SHA256, bits(sign('sha256', certified, privateKey)));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${signed.toString('base64')}\n-----END CERTIFICATE-----\n`,
  };
}
