import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { type Edge, startEdge } from '../support/edge.ts';
import { bundleEdge } from '../support/edge-bundle.ts';
import { SeededRandom } from '../support/random.ts';

/** What one round did and found. */
export interface EdgeRound {
  round: number;
  acks: number;
  /** Sent and not acknowledged when the process died. */
  onTheirWay: number;
  transactions: number;
  /** Killed again while it started. */
  stillbirths: number;
  readyMs: number;
  /** What was read and checked after the restart: everything. */
  records: number;
  faults: string[];
}

interface Acked {
  value: string;
  partition: number;
  offset: number;
}

const PARTITIONS = 3;
const SENDERS = 24;
const TOPIC = 'survives';
const SETTINGS = [
  'log.retention.ms=-1',
  'group.initial.rebalance.delay.ms=0',
  'offsets.topic.num.partitions=2',
  'transaction.state.log.num.partitions=2',
].join('\n');

/** Bare workerd with its objects on a disk: killed under load, round after round, and everything read after each. */
export class EdgeCrashRun {
  readonly #random: SeededRandom;
  readonly #directory: string;
  readonly #bundle: string;
  #edge: Edge;
  readonly #client: Client;
  readonly acked: Acked[] = [];
  /** Sent by a transaction that was committed. */
  readonly #committed = new Set<string>();
  #sent = 0;
  #transactions = 0;

  static async start(directory: string, seed: number): Promise<EdgeCrashRun> {
    const bundle = await bundleEdge(join(directory, 'bundle'));
    const edge = await startEdge(bundle, {
      directory: join(directory, 'objects'),
      vars: { MILENA_SETTINGS: SETTINGS },
    });
    const client = await connect(`ws://${edge.host}/kafka`);
    await client.admin.topics.create(TOPIC, { partitions: PARTITIONS });
    return new EdgeCrashRun({ directory, bundle, edge, client, seed });
  }

  private constructor(parts: {
    directory: string;
    bundle: string;
    edge: Edge;
    client: Client;
    seed: number;
  }) {
    this.#random = new SeededRandom(parts.seed);
    this.#directory = parts.directory;
    this.#bundle = parts.bundle;
    this.#edge = parts.edge;
    this.#client = parts.client;
  }

  async round(round: number): Promise<EdgeRound> {
    const before = { acks: this.acked.length, transactions: this.#transactions };
    let isOver = false;
    let open = 0;
    const producer = this.#client.producer({ lingerMs: 1 });
    const send = async (sender: number) => {
      while (!isOver) {
        const value = `v${this.#sent++}`;
        open++;
        const { partition, offset } = await producer.send(TOPIC, { value, partition: sender % PARTITIONS });
        open--;
        this.acked.push({ value, partition, offset });
      }
    };
    const transact = async () => {
      for (let number = 0; !isOver; number++) {
        const values = [0, 1].map((partition) => ({ value: `t${round}-${number}-${partition}`, partition }));
        await this.#client.transaction(`crash-${round}`, async (transaction) => {
          for (const record of values) await transaction.send(TOPIC, record);
        });
        this.#transactions++;
        for (const { value } of values) this.#committed.add(value);
      }
    };
    const loads = [...Array.from({ length: SENDERS }, (_, sender) => send(sender)), transact()];
    const failed = Promise.all(loads).then(() => undefined);
    failed.catch(() => undefined);
    await Promise.race([failed, setTimeout(150 + this.#random.integer(0, 700))]);
    const onTheirWay = open;
    await this.#edge.kill('SIGKILL');
    const startedAtMs = performance.now();
    const stillbirths = await this.#startAgain();
    const readyMs = performance.now() - startedAtMs;
    await Promise.race([failed, setTimeout(100 + this.#random.integer(0, 200))]);
    isOver = true;
    await failed;
    const { faults, records } = await this.#check();
    return {
      round,
      acks: this.acked.length - before.acks,
      onTheirWay,
      transactions: this.#transactions - before.transactions,
      stillbirths,
      readyMs,
      records,
      faults,
    };
  }

  async #startAgain(): Promise<number> {
    let stillbirths = 0;
    const start = () =>
      startEdge(this.#bundle, {
        http: this.#edge.host,
        directory: join(this.#directory, 'objects'),
        vars: { MILENA_SETTINGS: SETTINGS },
      });
    for (; stillbirths < 2 && this.#random.chance(0.25); stillbirths++) {
      const edge = await start();
      await setTimeout(this.#random.integer(0, 60));
      await edge.kill('SIGKILL');
    }
    this.#edge = await start();
    return stillbirths;
  }

  /** Reads all there is: each record once, where it was said to be; of a transaction all or nothing. */
  async #check(): Promise<{ faults: string[]; records: number }> {
    const faults: string[] = [];
    const found = new Map<string, { partition: number; offset: number }>();
    const reading = { from: 'earliest', live: false, isolation: 'read_committed' } as const;
    for await (const { value, partition, offset } of this.#client.read(TOPIC, reading)) {
      const name = new TextDecoder().decode(value ?? new Uint8Array());
      if (found.has(name)) faults.push(`${name} is there twice`);
      found.set(name, { partition, offset });
    }
    for (const { value, partition, offset } of this.acked) {
      const at = found.get(value);
      if (at?.partition !== partition || at.offset !== offset)
        faults.push(
          `${value} was acknowledged at ${partition}/${offset}, and is at ${at?.partition}/${at?.offset}`,
        );
    }
    for (const value of this.#committed)
      if (!found.has(value)) faults.push(`${value} was committed, and is gone`);
    for (const value of found.keys()) {
      const other = value.startsWith('t') ? value.replace(/\d$/, (end) => String(1 - Number(end))) : value;
      if (!found.has(other)) faults.push(`${value} is there without ${other}`);
    }
    return { faults, records: found.size };
  }

  async stop(): Promise<void> {
    await this.#client.close();
    await this.#edge.kill();
  }
}

/** `npm run crash -- --edge`. @returns whether nothing that was acknowledged was lost. */
export async function crashEdge(
  directory: string,
  { rounds, seed }: { rounds: number; seed: number },
): Promise<boolean> {
  const run = await EdgeCrashRun.start(directory, seed);
  const reports: EdgeRound[] = [];
  for (let round = 1; round <= rounds; round++) {
    const report = await run.round(round);
    reports.push(report);
    const { acks, onTheirWay, transactions, stillbirths, readyMs, records, faults } = report;
    const verdict = faults.length === 0 ? 'ok    ' : 'FAULTS';
    console.log(
      `round ${String(round).padStart(3)}  ${verdict}  ${acks} acks, ${transactions} transactions, ` +
        `${onTheirWay} on their way, killed ${stillbirths} times more, ready ${Math.round(readyMs)} ms, ` +
        `${records} records checked`,
    );
    for (const fault of faults.slice(0, 20)) console.log(`    ${fault}`);
  }
  await run.stop();
  const faults = reports.flatMap((report) => report.faults);
  const sum = (of: (report: EdgeRound) => number) => reports.reduce((all, report) => all + of(report), 0);
  const kills = reports.length + sum(({ stillbirths }) => stillbirths);
  console.log(
    `\nseed ${seed}: ${rounds} rounds, SIGKILL ${kills} times, ${sum(({ acks }) => acks)} records acknowledged, ` +
      `${sum(({ transactions }) => transactions)} transactions committed, ` +
      `${sum(({ onTheirWay }) => onTheirWay)} on their way`,
  );
  console.log(faults.length === 0 ? 'nothing acknowledged was lost' : `FAILED: ${faults.length} faults`);
  return faults.length === 0;
}
