export type HashName = 'SHA-256' | 'SHA-512';

/** What logins and signed tokens need of a platform's cryptography. WebCrypto has all of it, and answers later. */
export interface Cryptography {
  digest(hash: HashName, bytes: Uint8Array): Promise<Uint8Array>;
  hmac(hash: HashName, key: Uint8Array, bytes: Uint8Array): Promise<Uint8Array>;
  /** PBKDF2 with HMAC (RFC 8018), as long as the hash. It is slow on purpose. */
  pbkdf2(
    hash: HashName,
    password: Uint8Array,
    how: { salt: Uint8Array; iterations: number },
  ): Promise<Uint8Array>;
  /** Nobody can guess them. */
  randomBytes(count: number): Uint8Array;
}
