import type { LogName } from '../ports/log-store.ts';
import type { Offset, Uuid } from '../model/ids.ts';

/** Names and small text files of Kafka's directory layout. */

export const RECOVERY_POINTS = 'recovery-point-offset-checkpoint';
export const LOG_STARTS = 'log-start-offset-checkpoint';
export const META_PROPERTIES = 'meta.properties';
export const CLEAN_SHUTDOWN = '.kafka_cleanshutdown';
export const LOCK = '.lock';
export const PARTITION_METADATA = 'partition.metadata';
/** Ours: which version of our additions to Kafka's layout a directory was last written by. */
export const FORMAT = 'milena.format';
export const FORMAT_VERSION = 3;
/** Ours: the topic ids of all logs, to spare a start after a clean shutdown a file a log. */
export const LOG_LIST = 'milena.logs';

/** A file being written; what a crash left of one is removed. */
export const DRAFT_SUFFIX = '.tmp';
/** What was found damaged in a log and taken out of it, for people to look at; Kafka reads over it. */
export const DAMAGED_SUFFIX = '.damaged';
/** A file of a segment that is gone from its log. */
export const DELETED_SUFFIX = '.deleted';
/** A segment that is being written anew. */
export const CLEANED_SUFFIX = '.cleaned';
/** One that is whole and durable, and on its way to the place of those it was made from. */
export const SWAP_SUFFIX = '.swap';
/** Unfinished business in a log directory, Kafka's and ours; segments to be swapped are seen to before. */
const LEFT_BEHIND = [DELETED_SUFFIX, CLEANED_SUFFIX, SWAP_SUFFIX, DRAFT_SUFFIX];
const SEGMENT_FILE = /^\d{20}\.(log|index|timeindex|txnindex)$/;
const FILE_NAME_MAX = 255;

export function segmentFile(baseOffset: Offset, suffix: 'log' | 'index' | 'timeindex' | 'txnindex'): string {
  return `${String(baseOffset).padStart(20, '0')}.${suffix}`;
}

/** Base offset of a `.log` file, undefined for any other name. */
export function segmentBase(name: string): Offset | undefined {
  const base = /^\d{20}\.log$/.test(name) ? Number.parseInt(name, 10) : NaN;
  return Number.isSafeInteger(base) ? base : undefined;
}

/** Base offset of a `.log` file that a crash kept from its place, undefined for any other name. */
export function swapBase(name: string): Offset | undefined {
  return name.endsWith(SWAP_SUFFIX) ? segmentBase(name.slice(0, -SWAP_SUFFIX.length)) : undefined;
}

/** Base offset of a `.txnindex` file, undefined for any other name. */
export function abortedBase(name: string): Offset | undefined {
  return name.endsWith('.txnindex') ? segmentBase(name.replace(/txnindex$/, 'log')) : undefined;
}

/** Whether a file in a log's directory is a named value, not part of the log itself. */
export function isValueName(name: string): boolean {
  const isOther = name === PARTITION_METADATA || name.endsWith(DAMAGED_SUFFIX) || isLeftBehind(name);
  return !SEGMENT_FILE.test(name) && !isOther;
}

export function isLeftBehind(name: string): boolean {
  return LEFT_BEHIND.some((suffix) => name.endsWith(suffix));
}

export function logDirectory({ topic, partition }: LogName): string {
  return `${topic}-${partition}`;
}

/** The topic and partition a directory's name says, undefined when it is not a log's. */
export function parseLogDirectory(name: string): { topic: string; partition: number } | undefined {
  const match = /^([\w.-]{1,249})-(\d{1,10})$/.exec(name);
  return match?.[1] === undefined ? undefined : { topic: match[1], partition: Number(match[2]) };
}

/**
 * What a log's directory is called once it is none: `delete` until it is gone, `stray` when it stood where another
 * log must be. Cut as Kafka cuts it.
 */
export function formerDirectory(name: LogName, why: 'delete' | 'stray'): string {
  const suffix = `.${uuidHex(name.topicId)}-${why}`;
  return logDirectory(name).slice(0, FILE_NAME_MAX - suffix.length) + suffix;
}

export function isDeletedDirectory(name: string): boolean {
  return /\.[0-9a-f]{32}-delete$/.test(name);
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export function isUuid(value: string): boolean {
  return /^[\w-]{22}$/.test(value);
}

function uuidHex(uuid: Uuid): string {
  let bits = '';
  for (const character of uuid) bits += BASE64URL.indexOf(character).toString(2).padStart(6, '0');
  let hex = '';
  for (let at = 0; at < 128; at += 4) hex += Number.parseInt(bits.slice(at, at + 4), 2).toString(16);
  return hex;
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

export function bytesOf(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function partitionMetadata(topicId: Uuid): Uint8Array {
  return bytesOf(`version: 0\ntopic_id: ${topicId}\n`);
}

/** Undefined when `bytes` is not a `partition.metadata` file we know. */
export function parsePartitionMetadata(bytes: Uint8Array): Uuid | undefined {
  return /^version: 0\s+topic_id: ([\w-]{22})\s*$/.exec(text(bytes))?.[1];
}

/** Java properties, as far as `meta.properties` goes. */
export function parseProperties(bytes: Uint8Array): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of text(bytes).split('\n')) {
    const at = line.indexOf('=');
    if (at > 0 && !line.startsWith('#')) properties.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return properties;
}

export function encodeProperties(properties: Record<string, string>): Uint8Array {
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
  return bytesOf(lines.join(''));
}
