import type { Attributes, Carrier, Span, Tracing } from '../../ports/tracing.ts';
import type { ConsumedRecord } from '../consumer/consumed-record.ts';
import type { FetchedBatch } from '../fetch/consumer-record.ts';
import type { RecordWaiter } from '../producer/contents.ts';
import { headerList, type ProducerRecord, type RecordMetadata } from '../producer/record.ts';
import { ATTRIBUTE, OPERATION, SYSTEM } from './names.ts';

const UTF8 = new TextDecoder();

/** What a client does, as spans. Records carry on where they come from in their headers. */
export class ClientTracing {
  readonly #tracing: Tracing;
  readonly #clientId: string;

  constructor(tracing: Tracing, clientId: string) {
    this.#tracing = tracing;
    this.#clientId = clientId;
  }

  /** One span for all records of a call, which all of them carry. It ends with what becomes of them. */
  async send<T extends RecordMetadata | RecordMetadata[]>(
    topic: string,
    records: readonly ProducerRecord[],
    send: (records: readonly ProducerRecord[]) => Promise<T>,
  ): Promise<T> {
    const span = this.#startSend(topic, records);
    const carrying = records.map((record) => carriedBy(span, record));
    return ending(span, async () => {
      const sent = await send(carrying);
      if (!Array.isArray(sent)) span.set(placeOf(sent));
      return sent;
    });
  }

  /** One record that nobody waits for: its span ends when its waiter is told, or it is not taken. */
  write(
    topic: string,
    { record, waiter }: { record: ProducerRecord; waiter: RecordWaiter },
    take: (record: ProducerRecord, waiter: RecordWaiter) => Promise<void> | undefined,
  ): Promise<void> | undefined {
    const span = this.#startSend(topic, [record]);
    try {
      const taken = take(carriedBy(span, record), {
        stored(metadata) {
          span.set(placeOf(metadata));
          span.end();
          waiter.stored(metadata);
        },
        failed(error) {
          end(span, error);
          waiter.failed(error);
        },
      });
      taken?.catch((error: unknown) => end(span, error));
      return taken;
    } catch (error) {
      end(span, error);
      throw error;
    }
  }

  /** Records came together: a span that is linked to where each of them comes from. */
  poll(batch: FetchedBatch<unknown, unknown>, groupId: string | undefined): void {
    const { topic, partition, length } = batch;
    const links = Array.from({ length }, (_, index) => carrierOf(batch.at(index))).filter(
      ({ size }) => size > 0,
    );
    this.#tracing
      .start({
        name: `${OPERATION.poll.name} ${topic}`,
        kind: 'client',
        attributes: {
          ...this.#attributes(topic, OPERATION.poll),
          ...(groupId !== undefined && { [ATTRIBUTE.groupId]: groupId }),
          [ATTRIBUTE.partition]: String(partition),
          [ATTRIBUTE.recordsCount]: length,
        },
        links,
      })
      .end();
  }

  /** A record is worked on, by a handler: its span goes on from the one that it carries. */
  process<T>(
    record: ConsumedRecord<unknown, unknown>,
    groupId: string | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const span = this.#startProcess(record, groupId);
    return ending(span, () => span.run(work));
  }

  /** The same, by whoever a record is handed to. @returns what to call once, when that is over. */
  processing(record: ConsumedRecord<unknown, unknown>, groupId: string | undefined): () => void {
    const span = this.#startProcess(record, groupId);
    return () => span.end();
  }

  #startProcess(record: ConsumedRecord<unknown, unknown>, groupId: string | undefined): Span {
    const { topic, partition, offset, keyBytes, valueBytes } = record;
    return this.#tracing.start({
      name: `${OPERATION.work.name} ${topic}`,
      kind: 'consumer',
      attributes: {
        ...this.#attributes(topic, OPERATION.work),
        ...(groupId !== undefined && { [ATTRIBUTE.groupId]: groupId }),
        ...placeOf({ partition, offset }),
        ...keyOf(keyBytes),
        ...(valueBytes === null && { [ATTRIBUTE.isTombstone]: true }),
      },
      parent: carrierOf(record),
    });
  }

  #startSend(topic: string, records: readonly ProducerRecord[]): Span {
    const [first] = records;
    const isOne = records.length === 1;
    return this.#tracing.start({
      name: `${OPERATION.send.name} ${topic}`,
      kind: 'producer',
      attributes: {
        ...this.#attributes(topic, OPERATION.send),
        ...(isOne ? keyOf(first?.key) : { [ATTRIBUTE.recordsCount]: records.length }),
        ...(isOne && (first?.value ?? null) === null && { [ATTRIBUTE.isTombstone]: true }),
      },
    });
  }

  #attributes(topic: string, { name, type }: { name: string; type: string }): Attributes {
    return {
      [ATTRIBUTE.system]: SYSTEM,
      [ATTRIBUTE.operationName]: name,
      [ATTRIBUTE.operationType]: type,
      [ATTRIBUTE.topic]: topic,
      [ATTRIBUTE.clientId]: this.#clientId,
    };
  }
}

async function ending<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    span.end();
    return result;
  } catch (error) {
    end(span, error);
    throw error;
  }
}

function end(span: Span, thrown: unknown): void {
  const error = thrown instanceof Error ? thrown : new Error(`${typeof thrown} was thrown`);
  const { code = error.name } = error as { code?: unknown };
  span.set({ [ATTRIBUTE.errorType]: typeof code === 'string' ? code : error.name });
  span.end(error);
}

function placeOf({ partition, offset }: { partition: number; offset: number }): Attributes {
  return { [ATTRIBUTE.partition]: String(partition), ...(offset >= 0 && { [ATTRIBUTE.offset]: offset }) };
}

function keyOf(key: Uint8Array | string | null | undefined): Attributes {
  if (key === null || key === undefined) return {};
  return { [ATTRIBUTE.key]: typeof key === 'string' ? key : UTF8.decode(key) };
}

/** The same record, which says that it comes from this span, and from no other. */
function carriedBy(span: Span, record: ProducerRecord): ProducerRecord {
  const carried = new Map<string, string>();
  span.inject((key, value) => carried.set(key, value));
  if (carried.size === 0) return record;
  const own = headerList(record.headers).filter(({ key }) => !carried.has(key));
  return { ...record, headers: [...own, ...Array.from(carried, ([key, value]) => ({ key, value }))] };
}

function carrierOf({ headers }: Pick<ConsumedRecord<unknown, unknown>, 'headers'>): Carrier {
  const carrier = new Map<string, string>();
  for (const { key, value } of headers) if (value !== null) carrier.set(key, UTF8.decode(value));
  return carrier;
}
