import { invalidArgument } from '../errors.ts';
import type { ProducerRecord, RecordBytes } from '../producer/record.ts';
import { InvalidRecord, type RawRecord } from './invalid-record.ts';
import type { OnInvalid } from './on-invalid.ts';
import { type Format, PLAIN, type Serde, serdeOf } from './serde.ts';

/** What a reader makes of the bytes of one topic's records. */
export interface Deserializers<K, V> {
  /** Bytes as they are: nothing can be invalid, so a record need not be looked at before it is handed out. */
  readonly isPlain: boolean;
  readonly onInvalid: OnInvalid;
  /** @throws InvalidRecord */
  readonly key: (record: RawRecord) => K;
  /** @throws InvalidRecord */
  readonly value: (record: RawRecord) => V;
}

/**
 * A topic and what is in it. `K` and `V` are what reading gives, with null where a key may be missing or a value may be
 * a tombstone; `WK` and `WV` what writing takes, which differs where a schema changes what it reads.
 */
export interface Topic<K, V, WK = K, WV = V> {
  readonly name: string;
  readonly deserializers: Deserializers<K, V>;
  /** As bytes. @throws InvalidRecord */
  readonly serialize: (record: ProducerRecord<WK, WV>) => ProducerRecord;
}

/** Any topic, where nothing is made of what is in it. */
export type AnyTopic = string | { readonly name: string };

/** Where such keys and values are written; to a name alone bytes and texts. */
export type WritableTopic<K, V> = string | Pick<Topic<unknown, unknown, K, V>, 'name' | 'serialize'>;

/** Where such keys and values are read; of a name alone bytes or null. */
export type ReadableTopic<K, V> = string | Pick<Topic<K, V>, 'name' | 'deserializers'>;

export interface TopicOptions<K, V, WK, WV> {
  /** Bytes or none, unless given. */
  key?: Format<K, WK>;
  /** Bytes or none, unless given. */
  value?: Format<V, WV>;
  /** `throw` unless given. */
  onInvalid?: OnInvalid;
}

/**
 * A topic whose keys and values have types: `topic('orders', { key: serde.string, value: z.object({ … }) })`. A schema
 * of zod, valibot, arktype or any other Standard Schema means JSON, checked when it is written and when it is read; it
 * has to answer at once. Null is no bytes, if the serde or the schema takes it.
 * @throws MilenaError INVALID_ARGUMENT
 */
export function topic<
  K = Uint8Array | null,
  V = Uint8Array | null,
  WK = RecordBytes | null,
  WV = RecordBytes | null,
>(name: string, options: TopicOptions<K, V, WK, WV> = {}): Topic<K, V, WK, WV> {
  if (name === '') throw invalidArgument('a topic has a name');
  const { onInvalid = 'throw' } = options;
  // What is left out is plain, and so are its types: nobody else can name others.
  const key = options.key === undefined ? (PLAIN as unknown as Serde<K, WK>) : serdeOf(options.key);
  const value = options.value === undefined ? (PLAIN as unknown as Serde<V, WV>) : serdeOf(options.value);
  return {
    name,
    deserializers: {
      isPlain: options.key === undefined && options.value === undefined,
      onInvalid,
      key: (record) => read(record, 'key', () => key.deserialize(record.keyBytes)),
      value: (record) => read(record, 'value', () => value.deserialize(record.valueBytes)),
    },
    serialize: (record) => {
      const { key: givenKey = null, value: givenValue = null, ...rest } = record as Given<WK, WV>;
      return {
        ...rest,
        key: write(name, 'key', () => key.serialize(givenKey as WK)),
        value: write(name, 'value', () => value.serialize(givenValue as WV)),
      };
    },
  };
}

/** What is left out is null. */
type Given<WK, WV> = Omit<ProducerRecord, 'key' | 'value'> & { key?: WK | null; value?: WV | null };

const PLAIN_DESERIALIZERS: Deserializers<Uint8Array | null, Uint8Array | null> = topic('plain').deserializers;

export function nameOf(given: AnyTopic): string {
  return typeof given === 'string' ? given : given.name;
}

/** How a topic's records are read; of one that is only named, as bytes. */
export function deserializersOf<K = Uint8Array | null, V = Uint8Array | null>(
  given: ReadableTopic<K, V>,
): Deserializers<K, V> {
  return typeof given === 'string'
    ? (PLAIN_DESERIALIZERS as unknown as Deserializers<K, V>)
    : given.deserializers;
}

/** A record as its bytes, whatever the topic says it is. @throws InvalidRecord */
export function serialized<WK, WV>(
  given: WritableTopic<WK, WV>,
  record: ProducerRecord<WK, WV>,
): ProducerRecord {
  return typeof given === 'string' ? (record as ProducerRecord) : given.serialize(record);
}

/** Whether key and value are what their topic says; a record that keeps them makes them here. */
export function invalidIn(record: {
  readonly key: unknown;
  readonly value: unknown;
}): InvalidRecord | undefined {
  try {
    void record.key;
    void record.value;
    return undefined;
  } catch (error) {
    if (error instanceof InvalidRecord) return error;
    throw error;
  }
}

function read<T>(record: RawRecord, field: 'key' | 'value', make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new InvalidRecord({ topic: record.topic, field, record }, error);
  }
}

function write<T>(name: string, field: 'key' | 'value', make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new InvalidRecord({ topic: name, field }, error);
  }
}
