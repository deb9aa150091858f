/** SCRAM (RFC 5802, 7677) as far as client and server have it in common. Names and passwords are UTF-8 as given. */
import type { Cryptography, HashName } from '../ports/cryptography.ts';
import { utf8 } from './encoding.ts';

export interface ScramMechanism {
  readonly name: 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  /** As in AlterUserScramCredentials and the metadata log. */
  readonly number: number;
  readonly hash: HashName;
  readonly hashBytes: number;
}

export const SCRAM_MECHANISMS: readonly ScramMechanism[] = [
  { name: 'SCRAM-SHA-256', number: 1, hash: 'SHA-256', hashBytes: 32 },
  { name: 'SCRAM-SHA-512', number: 2, hash: 'SHA-512', hashBytes: 64 },
];

/** Kafka's bounds, and what we take where nobody says. */
export const SCRAM_ITERATIONS = { min: 4096, max: 16_384, usual: 4096 } as const;

/** What a server knows of a password: enough to check one, not enough to log in with. */
export interface ScramCredential {
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
  readonly iterations: number;
}

/** The keys of a password that was salted already (`Hi` of the RFC), which is as good as the password itself. */
export async function keysOf(
  cryptography: Cryptography,
  hash: HashName,
  saltedPassword: Uint8Array,
): Promise<{ clientKey: Uint8Array; storedKey: Uint8Array; serverKey: Uint8Array }> {
  const clientKey = await cryptography.hmac(hash, saltedPassword, utf8('Client Key'));
  const serverKey = await cryptography.hmac(hash, saltedPassword, utf8('Server Key'));
  return { clientKey, storedKey: await cryptography.digest(hash, clientKey), serverKey };
}

/** `a=1,b=2` of one message, in order. Undefined when it is not of that form. */
export function attributesOf(message: string): ReadonlyMap<string, string> | undefined {
  const pairs = message.split(',').map((part) => /^([A-Za-z]+)=(.*)$/s.exec(part));
  if (pairs.some((pair) => pair === null)) return undefined;
  return new Map(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
}

/** A name as it stands in a message: `=` and `,` mean something there. */
export function escaped(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** Undefined for a `=` that begins nothing. */
export function unescaped(name: string): string | undefined {
  if (/=(?!2C|3D)/.test(name)) return undefined;
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}
