import { decompress as fzstdDecompress } from 'fzstd';
import { describe, expect, test } from 'vitest';
import { webCodecs } from '../../src/hosts/web/codecs.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { CODEC, decompress } from '../../src/records/codecs.ts';

const NAMES = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const MIB = 1024 * 1024;

/** By node:zlib: the zstd one as a stream, so that it does not say what it unpacks to. */
const FOREIGN = {
  zstd: 'KLUv/QBYNQEA8HdoYXQgYW5vdGhlciB6c3RkIGhhcyBwYWNrZWQsIAEAPhJ+5QQotS/9IAABAAA=',
  gzip: 'H4sIAAAAAAAAAyvPSCxRSMzLL8lILVJIr8osUMhILFYoSEzOTk3RUSgflR2VHZUdlR00sgCrFIltsAQAAA==',
};

const codecs = webCodecs(await loadKernels());

async function pack(name: (typeof NAMES)[number], bytes: Uint8Array): Promise<Uint8Array> {
  return codecs.get(CODEC[name])!.compress(bytes);
}

async function unpack(
  name: (typeof NAMES)[number],
  bytes: Uint8Array,
  maxBytes?: number,
): Promise<Uint8Array> {
  const bound = maxBytes === undefined ? {} : { maxBytes };
  return decompress(codecs, { codec: CODEC[name], bytes, ...bound });
}

const refused = (message: RegExp) =>
  expect.objectContaining({ code: ErrorCode.CORRUPT_MESSAGE, message: expect.stringMatching(message) });

/** What must hold of the codecs in Workers and in pages. */
export function webCodecSuite(): void {
  const plain = new TextEncoder().encode('a record block, and another; '.repeat(5000));

  describe.each(NAMES)('%s', (name) => {
    test('gives back what it was given, up to the bound', async () => {
      const packed = await pack(name, plain);
      expect(packed.length).toBeLessThan(plain.length / 10);
      expect(await unpack(name, packed, plain.length)).toEqual(plain);
      expect(await unpack(name, await pack(name, new Uint8Array()))).toEqual(new Uint8Array());
      await expect(unpack(name, packed, plain.length - 1)).rejects.toEqual(refused(/unpacks to more than/));
    });

    test('a bomb stops at the bound, and what comes after it is unpacked', async () => {
      const bomb = await pack(name, new Uint8Array(16 * MIB));
      await expect(unpack(name, bomb, MIB)).rejects.toEqual(refused(/unpacks to more than 1048576/));
      expect(await unpack(name, await pack(name, plain))).toEqual(plain);
    });

    test('damage is refused, or unpacks within the bound', async () => {
      const packed = await pack(name, plain);
      await expect(unpack(name, packed.subarray(0, packed.length >> 1))).rejects.toEqual(refused(/./));
      await expect(unpack(name, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9))).rejects.toEqual(refused(/./));
      for (let at = 0; at < Math.min(packed.length, 200); at++) {
        const hurt = packed.slice();
        hurt[at]! ^= 1 << (at & 7);
        const length = await unpack(name, hurt, plain.length).then(
          (unpacked) => unpacked.length,
          (error: { code?: number }) => (error.code === ErrorCode.CORRUPT_MESSAGE ? 0 : Infinity),
        );
        expect(length).toBeLessThanOrEqual(plain.length);
      }
    });
  });

  test.each(['gzip', 'zstd'] as const)('%s of another is read', async (name) => {
    const packed = Uint8Array.from(atob(FOREIGN[name]), (char) => char.charCodeAt(0));
    expect(new TextDecoder().decode(await unpack(name, packed))).toBe(
      `what another ${name} has packed, `.repeat(40),
    );
  });

  test('zstd: fzstd reads ours; many frames are read, and one that is larger than a guess', async () => {
    const packed = await pack('zstd', plain);
    expect(fzstdDecompress(packed)).toEqual(plain);
    const two = new Uint8Array(2 * packed.length);
    two.set(packed);
    two.set(packed, packed.length);
    expect((await unpack('zstd', two)).length).toBe(2 * plain.length);
    const zeros = await unpack('zstd', await pack('zstd', new Uint8Array(30 * MIB)));
    expect(zeros.length).toBe(30 * MIB);
    expect(zeros.every((byte) => byte === 0)).toBe(true);
  });
}
