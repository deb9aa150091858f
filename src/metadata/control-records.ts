/**
 * What the metadata log holds beside its own records: control records of the quorum and of its snapshots,
 * in control batches, and the quorum-state file. The key is the key's version and the record's type, both
 * int16; the value is the body alone, which begins with its own version.
 */
import type { BrokerId, LeaderEpoch, Uuid } from '../model/ids.ts';
import type { MachineRecord } from '../model/machine.ts';
import { ZERO_UUID } from '../model/ids.ts';
import { decodeMessage, encodeMessage } from '../wire/codec.ts';
import {
  array,
  inRange,
  int16,
  int32,
  int64,
  message,
  string,
  struct,
  uint16,
  uuid,
  type Fields,
  type Message,
  type MessageInitOf,
  type MessageOf,
  type Versions,
} from '../wire/schema.ts';

const KEY_VERSION = 0;
const KEY_BYTES = 4;

interface ControlType<F extends Fields = Fields> {
  readonly key: number;
  readonly schema: Message<F>;
}

function control<F extends Fields>(key: number, name: string, versions: Versions, fields: F): ControlType<F> {
  return { key, schema: message({ name, versions, flexible: '0+', fields }) };
}

/** Version 1 names a voter's directory too (KIP-853). */
const voters = array('0+', { voterId: int32('0+'), voterDirectoryId: uuid('1+') });

/** By name, with the control type in the key. Types 0 and 1, a transaction's markers, are not of this log. */
export const CONTROL_RECORDS = {
  leaderChange: control(2, 'LeaderChangeMessage', '0-1', {
    version: int16('0+'),
    leaderId: int32('0+'),
    voters,
    grantingVoters: voters,
  }),
  snapshotHeader: control(3, 'SnapshotHeaderRecord', '0', {
    version: int16('0+'),
    lastContainedLogTimestamp: int64('0+'),
  }),
  snapshotFooter: control(4, 'SnapshotFooterRecord', '0', { version: int16('0+') }),
  kraftVersion: control(5, 'KRaftVersionRecord', '0', { version: int16('0+'), kRaftVersion: int16('0+') }),
  kraftVoters: control(6, 'VotersRecord', '0', {
    version: int16('0+'),
    voters: array('0+', {
      voterId: int32('0+'),
      voterDirectoryId: uuid('0+'),
      endpoints: array('0+', { name: string('0+'), host: string('0+'), port: uint16('0+') }),
      kRaftVersionFeature: struct('0+', {
        minSupportedVersion: int16('0+'),
        maxSupportedVersion: int16('0+'),
      }),
    }),
  }),
};

type ControlName = keyof typeof CONTROL_RECORDS;
type SchemaOf<K extends ControlName> = (typeof CONTROL_RECORDS)[K]['schema'];

export type ControlRecord = {
  [K in ControlName]: { readonly type: K } & Readonly<MessageOf<SchemaOf<K>>>;
}[ControlName];
export type ControlRecordInit = {
  [K in ControlName]: { readonly type: K } & MessageInitOf<SchemaOf<K>>;
}[ControlName];

const NAME_OF_KEY = new Map(
  (Object.keys(CONTROL_RECORDS) as ControlName[]).map((name) => [CONTROL_RECORDS[name].key, name] as const),
);

/** Key and value of a record in a control batch, in the version the record itself names. */
export function encodeControlRecord(record: ControlRecordInit): { key: Uint8Array; value: Uint8Array } {
  const { key: type, schema }: ControlType = CONTROL_RECORDS[record.type];
  const key = new Uint8Array(KEY_BYTES);
  const view = new DataView(key.buffer);
  view.setInt16(0, KEY_VERSION);
  view.setInt16(2, type);
  return { key, value: encodeMessage(schema, record.version, record) };
}

/** Undefined for a type or version that is not of ours. @throws {WireError} for a value that breaks off. */
export function decodeControlRecord({ key, value }: MachineRecord): ControlRecord | undefined {
  if (key === null || value === null || key.length < KEY_BYTES || value.length < 2) return undefined;
  const type = NAME_OF_KEY.get(int16At(key, 2));
  if (type === undefined) return undefined;
  const { schema }: ControlType = CONTROL_RECORDS[type];
  const version = int16At(value, 0);
  if (!inRange(schema.versions, version)) return undefined;
  return { type, ...decodeMessage(schema, version, value) } as ControlRecord;
}

function int16At(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt16(at);
}

/** What a voter must not forget of an election: Kafka's `quorum-state` beside the metadata log. */
export interface QuorumState {
  /** -1 when it is not known. */
  readonly leaderId: BrokerId;
  readonly leaderEpoch: LeaderEpoch;
  /** Whom this node voted for in this epoch; -1 for none. */
  readonly votedId: BrokerId;
  readonly votedDirectoryId: Uuid;
}

/** The file as JSON, in the version for a quorum whose voters may change (`data_version` 1, KIP-853). */
export function encodeQuorumState(state: QuorumState): string {
  const { leaderId, leaderEpoch, votedId, votedDirectoryId } = state;
  return JSON.stringify({ leaderId, leaderEpoch, votedId, votedDirectoryId, data_version: 1 });
}

/** Reads version 0 (fixed voters) and 1; undefined when `text` is no such file. */
export function decodeQuorumState(text: string): QuorumState | undefined {
  const data = parseObject(text);
  const { leaderId, leaderEpoch, votedId, votedDirectoryId = ZERO_UUID, data_version: version } = data;
  const numbers = [leaderId, leaderEpoch, votedId].every((value) => Number.isSafeInteger(value));
  if (!numbers || typeof votedDirectoryId !== 'string' || (version !== 0 && version !== 1)) return undefined;
  return { leaderId, leaderEpoch, votedId, votedDirectoryId } as QuorumState;
}

interface QuorumStateJson extends Record<string, unknown> {
  leaderId?: unknown;
  leaderEpoch?: unknown;
  votedId?: unknown;
  votedDirectoryId?: unknown;
  data_version?: unknown;
}

function parseObject(text: string): QuorumStateJson {
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === 'object' && data !== null ? (data as QuorumStateJson) : {};
  } catch {
    return {};
  }
}
