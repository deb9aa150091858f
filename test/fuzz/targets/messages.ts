import { KafkaError } from '../../../src/model/errors.ts';
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../src/wire/frame.ts';
import { APIS } from '../../../src/wire/registry.ts';
import { type Api, inRange, loadedApi } from '../../../src/wire/schema.ts';
import type { SeededRandom } from '../../support/random.ts';
import { bodyOf } from '../bodies.ts';
import { damage } from '../damage.ts';
import { type Outcomes, type Target, kindOf, mustHold, sameBytes } from '../target.ts';

const SIZE_PREFIX_BYTES = 4;
/** The writer's own buffer. */
const BUFFER_MAX_BYTES = 64 * 1024;
export const READ: Outcomes = ['read'];

function drawApi(random: SeededRandom): { api: Api; version: number } {
  const api = random.pick(APIS);
  return { api, version: random.integer(api.versions.min, api.versions.max) };
}

/** What is read, or the words it is refused with; an error that is not meant for whoever sent the bytes goes on. */
function readOrRefused<T extends object>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof KafkaError) return kindOf(error.message);
    throw error;
  }
}

/** A request of an API's version, without its size. */
export function requestOf(api: Api, version: number, random: SeededRandom): Uint8Array {
  const header = { correlationId: random.integer(0, 1_000), clientId: random.pick(['fuzz', '', null]) };
  const frame = encodeRequest(api, version, header, bodyOf(api.request, version, random) as never);
  return frame.slice(SIZE_PREFIX_BYTES);
}

/** A response, as an input. */
export function responseOf(api: Api, version: number, random: SeededRandom): Uint8Array {
  const chunks = encodeResponse(api, version, 7, bodyOf(api.response, version, random) as never);
  return asked(api, version, new Uint8Array(Buffer.concat(chunks)).subarray(SIZE_PREFIX_BYTES));
}

/** A request that a broker gets: it reads it and can write the same again, or says what is wrong. */
export const requests: Target = {
  name: 'requests',
  share: 36,
  bufferMaxBytes: BUFFER_MAX_BYTES,
  make(random) {
    const { api, version } = drawApi(random);
    const frame = requestOf(api, version, random);
    return random.chance(0.85) ? damage(frame, random) : frame;
  },
  check(frame) {
    const read = readOrRefused(() => {
      const { apiKey, apiVersion: version, bodyAt } = decodeRequestHeader(frame);
      const api = loadedApi(apiKey);
      if (api === undefined || !inRange(api.versions, version)) return { unknown: true } as const;
      return { api, version, body: decodeRequest(api, version, frame, bodyAt) };
    });
    if (typeof read === 'string') return [read];
    if ('unknown' in read) return ['no API'];
    const { api, version, body } = read;
    const header = { correlationId: 1, clientId: null };
    const once = encodeRequest(api, version, header, body as never).slice(SIZE_PREFIX_BYTES);
    const again = decodeRequest(api, version, once, decodeRequestHeader(once).bodyAt);
    const twice = encodeRequest(api, version, header, again as never).slice(SIZE_PREFIX_BYTES);
    mustHold(sameBytes(once, twice), () => `${api.name} v${version} does not survive being read`);
    return READ;
  },
};

/** Key and version of the API before the frame: a client knows what it asked. */
const ASKED_BYTES = 4;

export function asked(api: Api, version: number, frame: Uint8Array): Uint8Array {
  const input = new Uint8Array(ASKED_BYTES + frame.length);
  const view = new DataView(input.buffer);
  view.setInt16(0, api.key);
  view.setInt16(2, version);
  input.set(frame, ASKED_BYTES);
  return input;
}

/** A response that a client gets, of the API and version that the first bytes say. */
export const responses: Target = {
  name: 'responses',
  share: 24,
  bufferMaxBytes: BUFFER_MAX_BYTES,
  make(random) {
    const { api, version } = drawApi(random);
    const input = responseOf(api, version, random);
    if (!random.chance(0.85)) return input;
    return asked(api, version, damage(input.subarray(ASKED_BYTES), random));
  },
  check(input) {
    if (input.length < ASKED_BYTES) return ['no API'];
    const view = new DataView(input.buffer, input.byteOffset);
    const api = loadedApi(view.getInt16(0));
    const version = view.getInt16(2);
    if (api === undefined || !inRange(api.versions, version)) return ['no API'];
    const read = readOrRefused(() => decodeResponse(api, version, input.subarray(ASKED_BYTES)));
    if (typeof read === 'string') return [read];
    const write = (value: unknown) =>
      new Uint8Array(Buffer.concat(encodeResponse(api, version, 7, value as never)));
    const once = write(read.body);
    const again = decodeResponse(api, version, once.subarray(SIZE_PREFIX_BYTES)).body;
    mustHold(sameBytes(once, write(again)), () => `${api.name} v${version} does not survive being read`);
    return READ;
  },
};
