import { once } from 'node:events';
import { WebSocket } from 'ws';
import { connect } from '../../../src/hosts/node/connect.ts';
import { fetchApi } from '../../../src/wire/apis/01-fetch.ts';
import { encodeRequest } from '../../../src/wire/frame.ts';
import type { Edge } from '../../support/edge.ts';
import { percentile, report } from '../harness.ts';

const TOPIC = 'fan-out';
const SOCKETS = 1_000;
const RECORDS_A_SECOND = 100;
const RECORD_BYTES = 200;
const WARM_UP_MS = 4_000;
const MEASURED_MS = 10_000;
const VERSION = 11;
/** In an answer: size, correlation id, throttle time, error, session, one topic, its name, one partition. */
const PARTITION_AT = 4 + 4 + 4 + 2 + 4 + 4 + 2 + TOPIC.length + 4;
/** Behind that: index, error, three offsets, no aborted transactions, preferred replica, size of the records. */
const RECORDS_AT = PARTITION_AT + 4 + 2 + 3 * 8 + 4 + 4 + 4;
const OPENED_AT_ONCE = 50;
/** As a page waits. */
const MAX_WAIT_MS = 5_000;

/** A reader at the end of a partition: it asks for what follows what it has, over a WebSocket of its own. */
class Reader {
  readonly #socket: WebSocket;
  readonly #onRecord: (offset: number) => void;
  #next = 0;

  constructor(socket: WebSocket, onRecord: (offset: number) => void) {
    this.#socket = socket;
    this.#onRecord = onRecord;
    socket.on('message', (data: Buffer) => this.#answered(data));
    this.#ask();
  }

  #ask(): void {
    const partition = { partition: 0, fetchOffset: this.#next, partitionMaxBytes: 1_048_576 };
    const topics = [{ topic: TOPIC, partitions: [partition] }];
    const body = { maxWaitMs: MAX_WAIT_MS, minBytes: 1, topics };
    this.#socket.send(encodeRequest(fetchApi, VERSION, { correlationId: 1, clientId: null }, body));
  }

  #answered(data: Buffer): void {
    // By hand: decoding would be as much work for this process as answering is for the other.
    const errorCode = data.readInt16BE(PARTITION_AT + 4);
    if (errorCode !== 0) throw new Error(`a fetch was answered ${errorCode}`);
    for (let at = RECORDS_AT; at < data.length; at += 12 + data.readInt32BE(at + 8)) {
      const baseOffset = Number(data.readBigInt64BE(at));
      const lastOffset = baseOffset + data.readInt32BE(at + 23);
      for (let offset = Math.max(baseOffset, this.#next); offset <= lastOffset; offset++)
        this.#onRecord(offset);
      this.#next = Math.max(this.#next, lastOffset + 1);
    }
    this.#ask();
  }
}

/** One partition to a thousand sockets. Latency is from the moment a record is given to its producer. */
export async function fanOut(edge: Edge): Promise<void> {
  const url = `ws://${edge.host}/kafka`;
  const writer = await connect(url);
  await writer.admin.topics.create(TOPIC);
  const sentMs: number[] = [];
  const tookMs: number[] = [];
  let fromOffset = Infinity;
  const sockets: WebSocket[] = [];
  for (let opened = 0; opened < SOCKETS; opened += OPENED_AT_ONCE) {
    const some = Array.from({ length: OPENED_AT_ONCE }, () => new WebSocket(url, 'milena.kafka.v1'));
    await Promise.all(some.map((socket) => once(socket, 'open')));
    sockets.push(...some);
  }
  for (const socket of sockets)
    new Reader(socket, (offset) => {
      if (offset >= fromOffset) tookMs.push(performance.now() - (sentMs[offset] ?? 0));
    });
  const producer = writer.producer({ compression: 'none', lingerMs: 0 });
  const value = new Uint8Array(RECORD_BYTES);
  const startedMs = performance.now();
  for (let sent = 0; performance.now() - startedMs < WARM_UP_MS + MEASURED_MS; sent++) {
    if (fromOffset === Infinity && performance.now() - startedMs > WARM_UP_MS) fromOffset = sent;
    sentMs.push(performance.now());
    void producer.send(TOPIC, { value });
    const nextMs = startedMs + ((sent + 1) * 1_000) / RECORDS_A_SECOND;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextMs - performance.now())));
  }
  const measured = tookMs.length;
  for (const socket of sockets) socket.terminate();
  await writer.close();
  const bench = 'edge: one partition to 1,000 sockets, 100 records/s of 200 B';
  const deliveries = (measured * 1_000) / MEASURED_MS;
  report({ bench: `${bench}, deliveries`, value: deliveries, unit: 'records/s', bar: { value: 80_000 } });
  report({ bench: `${bench}, p99`, value: percentile(tookMs, 0.99), unit: 'ms', bar: { atMost: 400 } });
}
