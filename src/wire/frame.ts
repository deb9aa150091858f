/**
 * Requests and responses as they travel: an int32 size, a header, a body. Request header v1 is api key,
 * version, correlation id and client id; v2, of flexible versions, adds tagged fields (the client id stays a
 * plain string). Response header v0 is the correlation id; v1 adds tagged fields.
 */
import { codecOf } from './codec.ts';
import { Reader } from './reader.ts';
import { inRange, loadedApi } from './schema.ts';
import type { Api, RequestInitOf, RequestOf, ResponseInitOf, ResponseOf } from './schema.ts';
import { Writer } from './writer.ts';

export interface RequestHeader {
  apiKey: number;
  apiVersion: number;
  correlationId: number;
  clientId: string | null;
  /** Where the body starts in the frame. */
  bodyAt: number;
}

/** A client has to read it before it knows which versions the broker speaks (KIP-511). */
const API_VERSIONS_KEY = 18;

const writer = new Writer();

/**
 * Reads a request's header; `frame` is without the size prefix. An API or version this program has no schema
 * of reads as header v1: enough to answer, not to find the body.
 * @throws {WireError} when there is no header in these bytes.
 */
export function decodeRequestHeader(frame: Uint8Array): RequestHeader {
  const reader = new Reader(frame);
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  const clientId = reader.string();
  const api = loadedApi(apiKey);
  if (api && inRange(api.versions, apiVersion) && inRange(api.flexible, apiVersion)) skipTags(reader);
  return { apiKey, apiVersion, correlationId, clientId, bodyAt: reader.position };
}

/**
 * What follows the body is passed over, as Kafka's broker does: librdkafka 2.15 sends Metadata with three bytes too
 * many.
 * @throws {WireError} unless there is a body of that version at `bodyAt`.
 */
export function decodeRequest<A extends Api>(
  api: A,
  version: number,
  frame: Uint8Array,
  bodyAt: number,
): RequestOf<A> {
  const codec = codecOf(api, api.request, version);
  const reader = new Reader(frame, bodyAt);
  return codec.read(reader) as RequestOf<A>;
}

/** With size prefix, in one piece. */
export function encodeRequest<A extends Api>(
  api: A,
  version: number,
  header: { correlationId: number; clientId: string | null },
  body: RequestInitOf<A>,
): Uint8Array {
  const codec = codecOf(api, api.request, version);
  writer.start(true).int32(0);
  writer.int16(api.key);
  writer.int16(version);
  writer.int32(header.correlationId);
  writer.string(header.clientId);
  if (inRange(api.flexible, version)) writer.unsignedVarint(0);
  codec.write(writer, body);
  writer.prefixSize();
  return writer.finishWhole();
}

/**
 * With size prefix, as chunks to be written one after the other. Byte fields of 1 KiB and more are chunks by
 * reference: the caller must not change them until they are sent.
 */
export function encodeResponse<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  body: ResponseInitOf<A>,
): Uint8Array[] {
  const codec = codecOf(api, api.response, version);
  writer.start(true).int32(0);
  writer.int32(correlationId);
  if (hasResponseTags(api, version)) writer.unsignedVarint(0);
  codec.write(writer, body);
  writer.prefixSize();
  return writer.finishChunks();
}

/**
 * `frame` is without the size prefix.
 * @throws {WireError} unless it is one response of that version.
 */
export function decodeResponse<A extends Api>(
  api: A,
  version: number,
  frame: Uint8Array,
): { correlationId: number; body: ResponseOf<A> } {
  const codec = codecOf(api, api.response, version);
  const reader = new Reader(frame);
  const correlationId = reader.int32();
  if (hasResponseTags(api, version)) skipTags(reader);
  const body = codec.read(reader);
  reader.end();
  return { correlationId, body: body as ResponseOf<A> };
}

function hasResponseTags(api: Api, version: number): boolean {
  return inRange(api.flexible, version) && api.key !== API_VERSIONS_KEY;
}

function skipTags(reader: Reader): void {
  for (let left = reader.unsignedVarint(); left > 0; left--) {
    reader.unsignedVarint();
    reader.skip(reader.unsignedVarint());
  }
}
