import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { WireError } from '../../src/wire/error.ts';
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../src/wire/frame.ts';
import { APIS } from '../../src/wire/registry.ts';
import type { Api } from '../../src/wire/schema.ts';
import { bodyArbitrary, versionNumbers, type Struct } from './arbitraries.ts';

/** True when `read` gave a value, false when it refused; any other error is one the test must see. */
function accepts(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof WireError && error.code === 42) return false;
    throw error;
  }
}

function requestFrame(api: Api, version: number, body: Struct): Uint8Array {
  return encodeRequest(api, version, { correlationId: 7, clientId: 'hostile' }, body).subarray(4);
}

function responseFrame(api: Api, version: number, body: Struct): Uint8Array {
  return Buffer.concat(encodeResponse(api, version, 7, body)).subarray(4);
}

/** Bytes that make counts and lengths: small ones, and those that announce much. */
const suspects = fc
  .uint8Array({ maxLength: 80 })
  .chain((bytes) =>
    fc
      .array(fc.constantFrom(0x00, 0x01, 0x02, 0x7f, 0x80, 0xff), { maxLength: 80 })
      .map((others) => Uint8Array.from([...others, ...bytes])),
  );

describe.each(APIS.map((api) => [api.name, api] as const))('%s', (_name, api) => {
  test.each(versionNumbers(api))('v%i: any bytes are read or refused', (version) => {
    fc.assert(
      fc.property(suspects, (bytes) => {
        accepts(() => decodeRequest(api, version, bytes, 0));
        accepts(() => decodeResponse(api, version, bytes));
      }),
      { numRuns: 60 },
    );
  });

  test.each(versionNumbers(api))(
    'v%i: a body cut anywhere, or with a byte too many, is refused',
    (version) => {
      const both = fc.tuple(bodyArbitrary(api.request, version), bodyArbitrary(api.response, version));
      fc.assert(
        fc.property(both, fc.nat(), ([request, response], where) => {
          const frame = requestFrame(api, version, request);
          const { bodyAt } = decodeRequestHeader(frame);
          const answer = responseFrame(api, version, response);
          if (frame.length > bodyAt) {
            const cut = frame.subarray(0, bodyAt + (where % (frame.length - bodyAt)));
            expect(accepts(() => decodeRequest(api, version, cut, bodyAt))).toBe(false);
          }
          const longer = Buffer.concat([frame, Uint8Array.of(0)]);
          expect(accepts(() => decodeRequest(api, version, longer, bodyAt))).toBe(false);
          expect(accepts(() => decodeResponse(api, version, answer.subarray(0, where % answer.length)))).toBe(
            false,
          );
        }),
        { numRuns: 15 },
      );
    },
  );

  test.each(versionNumbers(api))('v%i: a flipped byte is read or refused', (version) => {
    fc.assert(
      fc.property(
        bodyArbitrary(api.request, version),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (body, where, flip) => {
          const frame = requestFrame(api, version, body);
          frame[where % frame.length] = (frame[where % frame.length] as number) ^ flip;
          accepts(() => decodeRequestHeader(frame));
          accepts(() => decodeRequest(api, version, frame, 8));
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('headers', () => {
  test('any bytes are read or refused', () => {
    fc.assert(fc.property(suspects, (bytes) => void accepts(() => decodeRequestHeader(bytes))));
  });

  test.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n')],
    ['a TLS hello', Buffer.from('160301020001000000fc0303aabbccdd', 'hex')],
    ['nothing', new Uint8Array(0)],
  ])('%s makes no harm', (_what, bytes) => {
    accepts(() => decodeRequestHeader(bytes));
  });
});

describe('announcements cost nothing', () => {
  const huge = (version: number, bytes: number[]) => () =>
    decodeRequest(metadataApi, version, Uint8Array.from(bytes), 0);

  test('two billion topics in four bytes', () => {
    expect(huge(1, [0x7f, 0xff, 0xff, 0xff])).toThrow('2147483647 elements in 0 bytes');
    expect(huge(9, [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0])).toThrow('4294967294 elements in 2 bytes');
  });

  test('a name of two gigabytes', () => {
    expect(huge(9, [2, 0xff, 0xff, 0xff, 0xff, 0x0f])).toThrow('a string of 4294967294 bytes');
  });

  test('four billion tags', () => {
    expect(huge(9, [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f])).toThrow(WireError);
  });

  test('more structs than a message may hold, though the bytes are there', () => {
    const count = 1_500_000;
    const frame = Buffer.alloc(4 + 2 * count);
    frame.writeInt32BE(count);
    expect(() => decodeRequest(metadataApi, 0, frame, 0)).toThrow('more than 1000000 structs');
  });
});
