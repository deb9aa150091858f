import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { deleteGroupsApi } from '../../src/wire/apis/42-delete-groups.ts';
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

/** `bad` is any error but the one that outside input may cause. */
function outcome(read: () => unknown): 'read' | 'refused' | 'bad' {
  try {
    read();
    return 'read';
  } catch (error) {
    return error instanceof WireError && error.code === 42 ? 'refused' : 'bad';
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
    const survives = fc.property(suspects, (bytes) => {
      expect(outcome(() => decodeRequest(api, version, bytes, 0))).not.toBe('bad');
      expect(outcome(() => decodeResponse(api, version, bytes))).not.toBe('bad');
    });
    expect(fc.check(survives, { numRuns: 60 }).counterexample).toBeNull();
  });

  test.each(versionNumbers(api))(
    'v%i: a request cut anywhere is refused, one with bytes too many read',
    (version) => {
      const refuses = fc.property(bodyArbitrary(api.request, version), fc.nat(), (body, where) => {
        const frame = requestFrame(api, version, body);
        const { bodyAt } = decodeRequestHeader(frame);
        // From nothing at all to all but the last byte; a body of no bytes cannot be cut.
        const cut = frame.subarray(0, bodyAt + (where % Math.max(1, frame.length - bodyAt)));
        const whole = cut.length === frame.length;
        expect(outcome(() => decodeRequest(api, version, cut, bodyAt))).toBe(whole ? 'read' : 'refused');
        const longer = Buffer.concat([frame, Uint8Array.of(0)]);
        expect(outcome(() => decodeRequest(api, version, longer, bodyAt))).toBe('read');
      });
      expect(fc.check(refuses, { numRuns: 15 }).counterexample).toBeNull();
    },
  );

  test.each(versionNumbers(api))(
    'v%i: a response cut anywhere, or with a byte too many, is refused',
    (version) => {
      const refuses = fc.property(bodyArbitrary(api.response, version), fc.nat(), (body, where) => {
        const frame = responseFrame(api, version, body);
        const cut = frame.subarray(0, where % frame.length);
        const longer = Buffer.concat([frame, Uint8Array.of(0)]);
        expect(outcome(() => decodeResponse(api, version, cut))).toBe('refused');
        expect(outcome(() => decodeResponse(api, version, longer))).toBe('refused');
      });
      expect(fc.check(refuses, { numRuns: 15 }).counterexample).toBeNull();
    },
  );

  test.each(versionNumbers(api))('v%i: a changed byte is read or refused', (version) => {
    const others = fc.integer({ min: 1, max: 255 });
    const survives = fc.property(
      bodyArbitrary(api.request, version),
      fc.nat(),
      others,
      (body, where, mask) => {
        const frame = requestFrame(api, version, body);
        const { bodyAt } = decodeRequestHeader(frame);
        const at = where % frame.length;
        frame[at] = (frame[at] as number) ^ mask;
        expect(outcome(() => decodeRequestHeader(frame))).not.toBe('bad');
        expect(outcome(() => decodeRequest(api, version, frame, bodyAt))).not.toBe('bad');
      },
    );
    expect(fc.check(survives, { numRuns: 25 }).counterexample).toBeNull();
  });
});

describe('headers', () => {
  test('any bytes are read or refused', () => {
    const survives = fc.property(suspects, (bytes) => {
      expect(outcome(() => decodeRequestHeader(bytes))).not.toBe('bad');
    });
    expect(fc.check(survives).counterexample).toBeNull();
  });

  test.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n'), 'refused'],
    ['a TLS hello', Buffer.from('160301020001000000fc0303aabbccdd', 'hex'), 'refused'],
    ['too little', Uint8Array.of(0, 18, 0, 0, 0), 'refused'],
    ['nothing', new Uint8Array(0), 'refused'],
  ])('%s does no harm', (_what, bytes, expected) => {
    expect(outcome(() => decodeRequestHeader(bytes))).toBe(expected);
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

  test('more elements than lists may hold, though the bytes are there', () => {
    const count = 1_500_000;
    const frame = Buffer.alloc(4 + 2 * count);
    frame.writeInt32BE(count);
    expect(() => decodeRequest(metadataApi, 0, frame, 0)).toThrow('more than 1000000 list elements');
    expect(() => decodeRequest(deleteGroupsApi, 0, frame, 0)).toThrow('more than 1000000 list elements');
  });
});
