import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as afterMs } from 'node:timers/promises';
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { type Bar, median, percentile, report } from './harness.ts';

/**
 * How long a record takes from producer to consumer at a steady rate, beside the same bytes through a bare server that
 * sends them back: each to a process of its own over TCP, in turns. Timed from when a record was due: whoever sends it
 * late is not forgiven.
 */
const ROUNDS = 7;
const RATE = 1_000;
const RECORDS = 2_000;
const BYTES = 1_000;

/** Sends a record, which comes back. */
interface Way {
  send: (value: Uint8Array) => void;
  close: () => unknown;
}

/** Who is told of what comes back, in the order in which it was sent, and of what makes that impossible. */
interface Traveller {
  came: () => void;
  failed: (error: unknown) => void;
}

type Open = (traveller: Traveller) => Promise<Way>;

/** One way there and back, and how long it takes. */
class Trip implements Traveller {
  readonly #dueAtMs: number[] = [];
  #ms: number[] = [];
  #way: Way | undefined;
  #over = Promise.withResolvers<void>();

  constructor() {
    this.#over.promise.catch(() => {});
  }

  async open(open: Open): Promise<void> {
    this.#way = await open(this);
  }

  /** p99 of one round in ms. */
  async round(): Promise<number> {
    const startedAtMs = performance.now();
    for (let number = 0; number < RECORDS; await afterMs(1)) {
      const dueNow = ((performance.now() - startedAtMs) * RATE) / 1_000;
      for (; number < Math.min(dueNow, RECORDS); number++) {
        this.#dueAtMs.push(startedAtMs + (number * 1_000) / RATE);
        this.#way?.send(Buffer.alloc(BYTES, `${number}.`));
      }
    }
    await this.#over.promise;
    const ms = this.#ms;
    this.#ms = [];
    this.#over = Promise.withResolvers();
    return percentile(ms, 0.99);
  }

  readonly came = () => {
    this.#ms.push(performance.now() - (this.#dueAtMs.shift() ?? Number.NaN));
    if (this.#ms.length === RECORDS) this.#over.resolve();
  };

  readonly failed = (error: unknown) => this.#over.reject(error);

  close(): unknown {
    return this.#way?.close();
  }
}

/** A socket, and a process behind it that does nothing else. */
async function bareSocket({ came, failed }: Traveller): Promise<Way> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'echo-server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const socket = connectSocket({ port: Number(port), host: '127.0.0.1', noDelay: true });
  let receivedBytes = 0;
  socket.on('error', failed);
  socket.on('data', (bytes) => {
    for (receivedBytes += bytes.length; receivedBytes >= BYTES; receivedBytes -= BYTES) came();
  });
  await once(socket, 'connect');
  const close = () => {
    socket.destroy();
    child.kill();
  };
  return { send: (value) => socket.write(value), close };
}

/** @param records of the topic, which is new. */
async function through(
  client: Client,
  topic: string,
  records: AsyncIterableIterator<unknown>,
  { came, failed }: Traveller,
): Promise<Way> {
  const producer = client.producer();
  await producer.send(topic, { value: 'first' });
  await records.next();
  const follow = async () => {
    while ((await records.next()).done !== true) came();
  };
  follow().catch(failed);
  return {
    send: (value) => void producer.send(topic, { value }).catch(failed),
    close: () => records.return?.(),
  };
}

/** @param bar of what our client takes beyond the socket. */
async function compare(client: Client, { where, bar }: { where: string; bar?: Bar }): Promise<void> {
  const opens: Readonly<Record<string, Open>> = {
    socket: bareSocket,
    reader: (traveller) => through(client, 'e2e-read', client.read('e2e-read'), traveller),
    consumer: (traveller) =>
      through(client, 'e2e', client.consumer({ group: 'e2e', topics: ['e2e'] }), traveller),
  };
  const trips = Object.entries(opens).map(([name, open]) => ({ name, open, trip: new Trip() }));
  const p99Ms: Record<string, number[]> = Object.fromEntries(trips.map(({ name }) => [name, []]));
  try {
    for (const { trip, open } of trips) await trip.open(open);
    for (let round = -1; round < ROUNDS; round++) {
      for (const { name, trip } of trips) {
        const ms = await trip.round();
        if (round >= 0) p99Ms[name]?.push(ms);
      }
    }
  } finally {
    for (const { trip } of trips) await trip.close();
  }
  const { socket = [], ...ours } = p99Ms;
  const bench = `p99 of ${RATE.toLocaleString('en')} records/s of 1 KB, ${where}`;
  report({ bench: `${bench}: a bare socket`, value: median(socket), unit: 'ms' });
  for (const [name, ms] of Object.entries(ours)) {
    const above = ms.map((one, round) => one - (socket[round] ?? Number.NaN));
    const figure = { bench: `${bench}: ${name}, above the socket`, value: median(above), unit: 'ms' };
    report(bar === undefined ? figure : { ...figure, bar });
  }
}

/** In memory it is the client's and the broker's own time; else the disk's, too. */
const BROKERS = [
  { where: 'in memory', args: () => ['--memory'], bar: { atMost: 10 } },
  { where: 'flushed', args: (directory: string) => ['--data', directory] },
];

export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  try {
    for (const { args, ...about } of BROKERS) {
      const broker = await BrokerProcess.start(args(directory));
      const client = await connect(`kafka://${broker.address}`);
      try {
        await compare(client, about);
      } finally {
        await client.close();
        await broker.stop();
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}
