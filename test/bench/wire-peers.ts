/** The encoders and decoders of other libraries, below their public APIs: what their clients run for each frame. */
import { createRequire } from 'node:module';
import * as platformatic from '@platformatic/kafka';

/** Of one API in one version. */
export interface PeerCodec {
  /** A request frame, with size prefix. */
  encode(args: unknown): Promise<Uint8Array> | Uint8Array;
  /** What a client gets from `frame`, a response without its size prefix. */
  decode(frame: Buffer): unknown;
}

const HEADER = { correlationId: 7, clientId: 'bench' };

interface KafkajsRequest {
  request: { encode(): Promise<{ buffer: Buffer }> };
  response: { decode(body: Buffer): Promise<unknown> };
}

const require = createRequire(import.meta.url);
const { requests } = require('kafkajs/src/protocol/requests/index.js') as {
  requests: Record<string, { protocol(options: { version: number }): (args: unknown) => KafkajsRequest }>;
};
const frameRequest = require('kafkajs/src/protocol/request.js') as (
  options: typeof HEADER & { request: object },
) => Promise<{ buffer: Buffer }>;

/** kafkajs 2.2.4. Both its ways are asynchronous; int64 become strings. `args` is its object of named arguments. */
export function kafkajsCodec(api: string, version: number): PeerCodec {
  const make = requests[api]!.protocol({ version });
  const { response } = make({ topics: [], topicData: [] });
  return {
    encode: async (args) => (await frameRequest({ ...HEADER, request: make(args).request })).buffer,
    decode: (frame) => response.decode(frame.subarray(4)),
  };
}

type Parse = (correlationId: number, key: number, version: number, reader: platformatic.Reader) => unknown;
type PlatformaticApi = ((connection: object, ...args: unknown[]) => void) & { key: number };

/** @platformatic/kafka 2.12.1. int64 become bigints, UUIDs dashed text. `args` is the list its function takes. */
export function platformaticCodec(name: string, version: number): PeerCodec {
  const { api } = (platformatic as unknown as Record<string, { api: PlatformaticApi }>)[
    `${name}V${version}`
  ]!;
  const sent = (args: unknown[]) => {
    let frame: { create: () => platformatic.Writer; parse: Parse } | undefined;
    const send = (_key: number, _version: number, create: () => platformatic.Writer, parse: Parse) => {
      frame = { create, parse };
    };
    api({ send }, ...args);
    return frame!;
  };
  const { parse } = sent([]);
  const flexible = version >= FLEXIBLE_FROM[name]!;
  return {
    encode(args) {
      const writer = platformatic.Writer.create()
        .appendInt16(api.key)
        .appendInt16(version)
        .appendInt32(HEADER.correlationId)
        .appendString(HEADER.clientId, false);
      if (flexible) writer.appendTaggedFields();
      return writer.appendFrom(sent(args as unknown[]).create()).prependLength().buffer;
    },
    decode(frame) {
      const reader = platformatic.Reader.from(frame);
      const correlationId = reader.readInt32();
      if (flexible) reader.readTaggedFields();
      return parse(correlationId, api.key, version, reader);
    },
  };
}

const FLEXIBLE_FROM: Record<string, number> = { produce: 9, fetch: 12, metadata: 9 };
