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
import { type Target, mustHold, sameBytes } from '../target.ts';

const SIZE_PREFIX_BYTES = 4;

function drawApi(random: SeededRandom): { api: Api; version: number } {
  const api = random.pick(APIS);
  return { api, version: random.integer(api.versions.min, api.versions.max) };
}

/** What a read threw, if that is an error for whoever sent the bytes; anything else goes on. */
function refused(read: () => void): boolean {
  try {
    read();
    return false;
  } catch (error) {
    if (error instanceof KafkaError) return true;
    throw error;
  }
}

/** A request that a broker gets: it reads it and can write the same again, or says what is wrong. */
export const requests: Target = {
  name: 'requests',
  share: 36,
  make(random) {
    const { api, version } = drawApi(random);
    const header = { correlationId: random.integer(0, 1_000), clientId: random.pick(['fuzz', '', null]) };
    const frame = encodeRequest(api, version, header, bodyOf(api.request, version, random) as never);
    const bare = frame.slice(SIZE_PREFIX_BYTES);
    return random.chance(0.85) ? damage(bare, random) : bare;
  },
  check(frame) {
    let read: { api: Api; version: number; body: unknown } | undefined;
    refused(() => {
      const header = decodeRequestHeader(frame);
      const api = loadedApi(header.apiKey);
      if (api === undefined || !inRange(api.versions, header.apiVersion)) return;
      const body = decodeRequest(api, header.apiVersion, frame, header.bodyAt);
      read = { api, version: header.apiVersion, body };
    });
    if (read === undefined) return;
    const { api, version, body } = read;
    const header = { correlationId: 1, clientId: null };
    const once = encodeRequest(api, version, header, body as never).slice(SIZE_PREFIX_BYTES);
    const again = decodeRequest(api, version, once, decodeRequestHeader(once).bodyAt);
    const twice = encodeRequest(api, version, header, again as never).slice(SIZE_PREFIX_BYTES);
    mustHold(sameBytes(once, twice), () => `${api.name} v${version} does not survive being read`);
  },
};

/** Key and version of the API before the frame: a client knows what it asked. */
const ASKED_BYTES = 4;

/** A response that a client gets, of the API and version that the first bytes say. */
export const responses: Target = {
  name: 'responses',
  share: 24,
  make(random) {
    const { api, version } = drawApi(random);
    const chunks = encodeResponse(api, version, 7, bodyOf(api.response, version, random) as never);
    const frame = new Uint8Array(Buffer.concat(chunks)).subarray(SIZE_PREFIX_BYTES);
    const asked = new DataView(new ArrayBuffer(ASKED_BYTES));
    asked.setInt16(0, api.key);
    asked.setInt16(2, version);
    const hurt = random.chance(0.85) ? damage(frame, random) : frame;
    return new Uint8Array(Buffer.concat([new Uint8Array(asked.buffer), hurt]));
  },
  check(input) {
    if (input.length < ASKED_BYTES) return;
    const view = new DataView(input.buffer, input.byteOffset);
    const api = loadedApi(view.getInt16(0));
    const version = view.getInt16(2);
    if (api === undefined || !inRange(api.versions, version)) return;
    let body: unknown;
    if (refused(() => ({ body } = decodeResponse(api, version, input.subarray(ASKED_BYTES))))) return;
    const write = (value: unknown) =>
      new Uint8Array(Buffer.concat(encodeResponse(api, version, 7, value as never)));
    const once = write(body);
    const again = decodeResponse(api, version, once.subarray(SIZE_PREFIX_BYTES)).body;
    mustHold(sameBytes(once, write(again)), () => `${api.name} v${version} does not survive being read`);
  },
};
