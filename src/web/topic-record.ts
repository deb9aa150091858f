import type { Millis, Offset } from '../model/ids.ts';
import { textOf } from './bytes.ts';

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

type Facts = Pick<
  TopicRecord,
  'topic' | 'partition' | 'offset' | 'timestamp' | 'keyBytes' | 'value' | 'headers'
>;

/** A record that was read. What it holds is its own, and may be kept. */
export class TopicRecord {
  readonly topic: string;
  readonly partition: number;
  /** Its place in the partition: with topic and partition it names the record for ever. */
  readonly offset: Offset;
  /** Milliseconds since 1970: the broker's where the topic says so, else the producer's. */
  readonly timestamp: Millis;
  readonly keyBytes: Uint8Array | null;
  /** Null: the key was deleted. */
  readonly value: Uint8Array | null;
  /** In the producer's order; one key may be there more than once. */
  readonly headers: readonly RecordHeader[];

  constructor({ topic, partition, offset, timestamp, keyBytes, value, headers }: Facts) {
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.timestamp = timestamp;
    this.keyBytes = keyBytes;
    this.value = value;
    this.headers = headers;
  }

  /** As UTF-8; null for none. */
  get key(): string | null {
    return textOf(this.keyBytes);
  }

  /** The value as UTF-8; null for none. */
  text(): string | null {
    return textOf(this.value);
  }

  /** The value as JSON; null for none. @throws SyntaxError when it is none. */
  json<T = unknown>(): T {
    return JSON.parse(this.text() ?? 'null') as T;
  }
}
