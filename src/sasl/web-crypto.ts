import type { Cryptography, HashName } from '../ports/cryptography.ts';

/** Of WebCrypto what is needed here: Node, Workers and secure pages all have it as `crypto`. */
export interface WebCrypto {
  readonly subtle: {
    digest(hash: string, bytes: Uint8Array): Promise<ArrayBuffer>;
    importKey(
      format: 'raw',
      key: Uint8Array,
      algorithm: string | { name: string; hash: string },
      extractable: boolean,
      uses: ('sign' | 'deriveBits')[],
    ): Promise<object>;
    sign(algorithm: 'HMAC', key: never, bytes: Uint8Array): Promise<ArrayBuffer>;
    deriveBits(
      algorithm: { name: 'PBKDF2'; hash: string; salt: Uint8Array; iterations: number },
      key: never,
      bits: number,
    ): Promise<ArrayBuffer>;
  };
  getRandomValues(into: Uint8Array): unknown;
}

const HASH_BITS: Readonly<Record<HashName, number>> = { 'SHA-256': 256, 'SHA-512': 512 };

/** The port on the platform's WebCrypto. @param platform in pages only where they came over TLS, or from localhost. */
export function webCrypto(platform: WebCrypto): Cryptography {
  const { subtle } = platform;
  return {
    digest: async (hash, bytes) => new Uint8Array(await subtle.digest(hash, bytes)),
    async hmac(hash, key, bytes) {
      const imported = await subtle.importKey('raw', key, { name: 'HMAC', hash }, false, ['sign']);
      return new Uint8Array(await subtle.sign('HMAC', imported as never, bytes));
    },
    async pbkdf2(hash, password, { salt, iterations }) {
      const imported = await subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
      const algorithm = { name: 'PBKDF2' as const, hash, salt, iterations };
      return new Uint8Array(await subtle.deriveBits(algorithm, imported as never, HASH_BITS[hash]));
    },
    randomBytes(count) {
      const bytes = new Uint8Array(count);
      platform.getRandomValues(bytes);
      return bytes;
    },
  };
}
