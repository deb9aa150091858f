import type { Millis, Offset } from '../model/ids.ts';

/** Whoever subscribes is told; where nobody does, nothing is made to be told. */
export interface Channel<Message extends object> {
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
}

/** What a client does, to be watched: Node's `diagnostics_channel` under these names, behind `milena:`. */
export interface Diagnostics {
  readonly connection: Channel<ConnectionMessage>;
  readonly request: Channel<RequestMessage>;
  readonly produce: Channel<ProduceMessage>;
  readonly fetch: Channel<FetchMessage>;
}

/** A connection to a broker was made, could not be made, or has ended. */
export interface ConnectionMessage {
  what: 'opened' | 'failed' | 'closed';
  clientId: string;
  host: string;
  port: number;
  /** For people; undefined of one that opened. */
  why: string | undefined;
}

/** A request was answered, or will not be. */
export interface RequestMessage {
  clientId: string;
  host: string;
  port: number;
  /** Kafka's name and version: `Produce` 12. */
  api: string;
  version: number;
  correlationId: number;
  requestBytes: number;
  /** Undefined without an answer. */
  responseBytes: number | undefined;
  /** From handing it to the transport to the answer, or to giving it up. */
  durationMs: Millis;
}

/** A batch is stored, or will not be sent any more. */
export interface ProduceMessage {
  topic: string;
  partition: number;
  recordsCount: number;
  sizeBytes: number;
  /** How often it was sent. */
  attempts: number;
  /** From its first record on. */
  durationMs: Millis;
  /** -1 where the broker does not say. */
  baseOffset: Offset;
  error: Error | undefined;
}

/** Records of one partition have come. */
export interface FetchMessage {
  topic: string;
  partition: number;
  nodeId: number;
  fetchOffset: Offset;
  sizeBytes: number;
  highWatermark: Offset;
}
