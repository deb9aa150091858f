/**
 * What goes over a link between a gateway and a shard: an int32 length, so many bytes of JSON, and behind it the byte
 * fields that the JSON names by their length, in its order. They are not copied on the way in. A message of a WebSocket
 * holds one or more, one behind the other.
 */
import { concat } from '../../model/bytes.ts';
import type { Offset } from '../../model/ids.ts';
import type { Caller, LeaseTerms } from '../../model/machine.ts';
import type { FromRelay, ToRelay } from './relay/frames.ts';

/** A part of a client's request, see `ShardRequest`. */
export interface RequestFrame {
  type: 'request';
  correlationId: number;
  caller: Caller;
  apiKey: number;
  apiVersion: number;
  body: unknown;
  credit?: number | undefined;
  leaseUntilMs?: number | undefined;
}

export type ToShard =
  | RequestFrame
  | { type: 'cancel'; correlationId: number }
  /** Headers of batches that were refused when the link before this one ended: none that follows them comes first. */
  | { type: 'refused'; headers: readonly Uint8Array[] }
  /** What the gateway's metadata says of this shard has this print now (`shardPrint`). */
  | { type: 'metadata'; print: string };

export interface ReplyFrame {
  type: 'reply';
  correlationId: number;
  body: unknown;
  errorCode?: number | undefined;
  parked?: boolean | undefined;
  lease?: LeaseTerms | undefined;
  /** Of a fetch that is parked: its reader may wait at one of so many relays. */
  relays?: number | undefined;
}

/** Records of the metadata log that lead from `base` to `end`; from 0 they say all there is, as a snapshot does. */
export interface MetadataFrame {
  type: 'metadata';
  base: Offset;
  end: Offset;
  values: readonly Uint8Array[];
}

export type FromShard = ReplyFrame | MetadataFrame;

type Frame = ToShard | FromShard | ToRelay | FromRelay;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const BYTES = '$bytes';
const INTEGER = '$integer';
const HEAD_AT = 4;

export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  return concat(frameChunks(frame)) as Uint8Array<ArrayBuffer>;
}

/** As `encodeFrame`, its byte fields not copied yet. */
export function frameChunks(frame: Frame): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const head = encoder.encode(JSON.stringify(withoutBytes(frame, parts)));
  const size = new Uint8Array(HEAD_AT);
  new DataView(size.buffer).setInt32(0, head.length);
  return [size, head, ...parts];
}

/** What JSON can say of it; the rest goes to `parts`, in JSON's order. Copies what changes alone. */
function withoutBytes(value: unknown, parts: Uint8Array[]): unknown {
  if (typeof value === 'bigint') return { [INTEGER]: String(value) };
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) {
    parts.push(value);
    return { [BYTES]: value.length };
  }
  const fields = value as Record<string, unknown>;
  let copy: Record<string, unknown> | undefined;
  for (const name in fields) {
    const field = fields[name];
    const plain = withoutBytes(field, parts);
    if (plain === field) continue;
    copy ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...fields }) as Record<string, unknown>;
    copy[name] = plain;
  }
  return copy ?? value;
}

/** The one frame of a message, or its first. Byte fields are views of `bytes`. @throws when it is none of ours. */
export function decodeFrame<F extends Frame>(bytes: Uint8Array): F {
  return frameAt<F>(bytes, 0).frame;
}

/** All frames of a message, each with its own bytes. */
export function* decodeFrames<F extends Frame>(
  message: Uint8Array,
): Iterable<{ frame: F; bytes: Uint8Array }> {
  for (let at = 0; at < message.length;) {
    const { frame, end } = frameAt<F>(message, at);
    yield { frame, bytes: message.subarray(at, end) };
    at = end;
  }
}

function frameAt<F extends Frame>(bytes: Uint8Array, from: number): { frame: F; end: number } {
  const headAt = from + HEAD_AT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let end = headAt + view.getInt32(from);
  const head = JSON.parse(decoder.decode(bytes.subarray(headAt, end))) as F;
  const frame = revive(head, (size) => bytes.subarray(end, (end += size))) as F;
  return { frame, end };
}

/** Puts the byte fields back where they were. */
function revive(value: unknown, take: (size: number) => Uint8Array): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++)
      if (typeof value[at] === 'object') value[at] = revive(value[at], take);
    return value;
  }
  const fields = value as Record<string, unknown>;
  const size = fields[BYTES];
  if (typeof size === 'number') return take(size);
  const integer = fields[INTEGER];
  if (typeof integer === 'string') return BigInt(integer);
  for (const name in fields) if (typeof fields[name] === 'object') fields[name] = revive(fields[name], take);
  return value;
}
