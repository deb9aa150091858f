/**
 * What goes over a link between a gateway and a shard, one message of a WebSocket each: an int32 length, so many bytes
 * of JSON, and behind it the byte fields that the JSON names by their length, in its order. They are not copied on the
 * way in.
 */
import { concat } from '../../model/bytes.ts';
import type { Offset } from '../../model/ids.ts';
import type { Caller } from '../../model/machine.ts';

/** A part of a client's request, see `ShardRequest`. */
export interface RequestFrame {
  type: 'request';
  correlationId: number;
  caller: Caller;
  apiKey: number;
  apiVersion: number;
  body: unknown;
  credit?: number | undefined;
}

export type ToShard =
  | RequestFrame
  | { type: 'cancel'; correlationId: number }
  /** What the gateway's metadata says of this shard has this print now (`shardPrint`). */
  | { type: 'metadata'; print: string };

export interface ReplyFrame {
  type: 'reply';
  correlationId: number;
  body: unknown;
  errorCode?: number | undefined;
  parked?: boolean | undefined;
}

/** Records of the metadata log that lead from `base` to `end`; from 0 they say all there is, as a snapshot does. */
export interface MetadataFrame {
  type: 'metadata';
  base: Offset;
  end: Offset;
  values: readonly Uint8Array[];
}

export type FromShard = ReplyFrame | MetadataFrame;

type Frame = ToShard | FromShard;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const BYTES = '$bytes';
const INTEGER = '$integer';
const HEAD_AT = 4;

export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const text = JSON.stringify(frame, (_key, value: unknown) => {
    if (value instanceof Uint8Array) {
      parts.push(value);
      return { [BYTES]: value.length };
    }
    return typeof value === 'bigint' ? { [INTEGER]: String(value) } : value;
  });
  const head = encoder.encode(text);
  const size = new Uint8Array(HEAD_AT);
  new DataView(size.buffer).setInt32(0, head.length);
  return concat([size, head, ...parts]) as Uint8Array<ArrayBuffer>;
}

/** Byte fields are views of `bytes`. @throws when it is none of ours. */
export function decodeFrame<F extends Frame>(bytes: Uint8Array): F {
  const { buffer, byteOffset, length } = bytes;
  const partsAt = HEAD_AT + new DataView(buffer, byteOffset, length).getInt32(0);
  const head = JSON.parse(decoder.decode(bytes.subarray(HEAD_AT, partsAt))) as F;
  let at = partsAt;
  return revive(head, (size) => bytes.subarray(at, (at += size))) as F;
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
