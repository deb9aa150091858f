/** Text on the wire: UTF-8, and UUIDs as Kafka prints them. */
import { type Uuid, ZERO_UUID } from '../model/ids.ts';
import { WireError } from './error.ts';

/** Kafka's limit in both encodings, though only the classic one runs out of length bits. */
export const STRING_MAX_BYTES = 0x7fff;

/** Kafka is lenient too: what is not UTF-8 reads as U+FFFD. A byte order mark is text like any other. */
const DECODER = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** Up to here a loop is faster than a call to the platform. Names, ids and hosts are mostly short. */
const SHORT = 32;
const CODES = Array.from({ length: SHORT + 1 }, (_, length) => Array.from({ length }, () => 0));

/** Longer texts are not counted but encoded, to nowhere, piece by piece. */
const COUNTED_MAX = 48;
const SCRATCH = new Uint8Array(8 * 1024);

/** Texts come again: topics, groups, members, clients. A short one that was read lately is not made anew. */
const SLOTS = 256;
const lately = Array.from({ length: SLOTS }, () => '');

export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return '';
  if (length > SHORT) return DECODER.decode(bytes.subarray(start, end));
  const last = end - 1;
  const middle = (start + end) >> 1;
  const mixed = 31 * (bytes[last] as number) + 7 * (bytes[middle] as number) + length;
  const slot = mixed & (SLOTS - 1);
  const known = lately[slot] as string;
  if (isText(known, bytes, start, length)) return known;
  const text = decodeShortAscii(bytes, start, end);
  if (text === undefined) return DECODER.decode(bytes.subarray(start, end));
  return (lately[slot] = text);
}

/** From the end on: names that are alike differ there. */
function isText(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = length - 1; i >= 0; i--) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

function decodeShortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  const codes = CODES[end - start] as number[];
  for (let i = start; i < end; i++) {
    const code = bytes[i] as number;
    if (code > 0x7f) return undefined;
    codes[i - start] = code;
  }
  return String.fromCharCode.apply(null, codes);
}

/** Size of `text` in UTF-8; a lone surrogate counts as the U+FFFD it is written as. */
export function utf8Length(text: string): number {
  if (text.length > COUNTED_MAX) return encodedLength(text);
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    length += code < 0x800 ? 1 : 2;
    if (isPair(text, i)) i++;
  }
  return length;
}

/** The platform encodes 1,000 characters in a tenth of the time that it takes to look at each. */
function encodedLength(text: string): number {
  let length = 0;
  for (let rest = text; rest !== '';) {
    const { read, written } = ENCODER.encodeInto(rest, SCRATCH);
    length += written;
    rest = rest.slice(read);
  }
  return length;
}

/** A high surrogate and its low one: two code units that make four bytes. */
function isPair(text: string, i: number): boolean {
  return (text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
}

/** Writes `text`, `length` bytes long by `utf8Length`, at `at`. */
export function encodeUtf8(text: string, length: number, into: Uint8Array, at: number): void {
  ENCODER.encodeInto(text, into.subarray(at, at + length));
}

/** Writes `text` at `at` when it is ASCII; else what stands there then means nothing. Meant for `isShort` ones. */
export function encodeAscii(text: string, into: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return false;
    into[at + i] = code;
  }
  return true;
}

export function isShort(text: string): boolean {
  return text.length <= SHORT;
}

const UUID_BYTES = 16;
const UUID_LENGTH = 22;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const CODE_OF = Array.from(ALPHABET, (letter) => letter.charCodeAt(0));
const VALUE_OF = Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)));
const UUID_CODES = Array.from({ length: UUID_LENGTH }, () => 0);
/** As with texts: the ids of topics. What their bytes were, and what they read. */
const latelyBytes = new Uint8Array(SLOTS * UUID_BYTES);
const latelyIds: Uuid[] = Array.from({ length: SLOTS }, () => ZERO_UUID);

/** The 16 bytes at `at`, in base64url without padding. */
export function decodeUuid(bytes: Uint8Array, at: number): Uuid {
  const slot = (bytes[at + UUID_BYTES - 1] as number) ^ (bytes[at] as number);
  const from = slot * UUID_BYTES;
  let same = 0;
  while (same < UUID_BYTES && latelyBytes[from + same] === bytes[at + same]) same++;
  if (same === UUID_BYTES) return latelyIds[slot] as Uuid;
  for (let i = same; i < UUID_BYTES; i++) latelyBytes[from + i] = bytes[at + i] as number;
  return (latelyIds[slot] = readUuid(bytes, at));
}

function readUuid(bytes: Uint8Array, at: number): Uuid {
  let bits = 0;
  let count = 0;
  let written = 0;
  for (let i = 0; i < UUID_BYTES; i++) {
    bits = ((bits & 0x3f) << 8) | (bytes[at + i] as number);
    for (count += 8; count >= 6; count -= 6)
      UUID_CODES[written++] = CODE_OF[(bits >> (count - 6)) & 0x3f] as number;
  }
  UUID_CODES[written] = CODE_OF[(bits << (6 - count)) & 0x3f] as number;
  return String.fromCharCode.apply(null, UUID_CODES);
}

/** @throws {WireError} unless `id` is what `decodeUuid` gives for some bytes. */
export function encodeUuid(id: Uuid, into: Uint8Array, at: number): void {
  let bits = 0;
  let count = 0;
  let written = at;
  for (let i = 0; i < UUID_LENGTH; i++) {
    const value = VALUE_OF[id.charCodeAt(i)] ?? -1;
    if (value < 0) throw new WireError('not a UUID in base64url');
    bits = ((bits & 0xff) << 6) | value;
    count += 6;
    if (count >= 8) into[written++] = bits >> (count -= 8);
  }
  if (id.length !== UUID_LENGTH || (bits & 0x0f) !== 0) throw new WireError('not a UUID in base64url');
}
