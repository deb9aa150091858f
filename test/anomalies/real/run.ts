import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Client } from '../../../src/client/client.ts';
import { type Verdict, check } from '../../../src/hosts/sim/anomalies/check.ts';
import { type History, type Operation, Recorder } from '../../../src/hosts/sim/anomalies/history.ts';
import { SeededRandom } from '../../support/random.ts';
import { type ActorParts, connectTo, keyOf, PARTITIONS, TOPICS } from './actor.ts';
import { StartedNode } from './broker.ts';
import { kafkajsMember, kafkajsWriter } from './kafkajs.ts';
import { member, processor, readAll, reader } from './readers.ts';
import { plainWriter, settle, transactionalWriter } from './writers.ts';

export interface RealRun {
  seed: number;
  /** Whether kafkajs is among the clients. */
  hasKafkajs: boolean;
  operations: number;
  transactions: Readonly<Record<'ok' | 'fail' | 'info', number>>;
  kills: number;
  verdict: Verdict;
  /** What went wrong beside that. */
  faults: readonly string[];
  tookMs: number;
  history: History;
}

const PROCESSED_BY = 'processors';
const WRITERS = ['writer-a', 'writer-b', 'writer-b'];
const PROCESSORS = 2;
/** Whatever takes longer hangs. */
const PATIENCE_MS = 40_000;

/** One seeded life of a real broker: clients at work, kills in between, then all is read and judged. */
export async function realRun(seed: number): Promise<RealRun> {
  const directory = await mkdtemp(join(tmpdir(), 'milena-anomalies-'));
  const startedAtMs = performance.now();
  const broker = await StartedNode.start(directory);
  const run = new Run(seed, broker);
  await run.all();
  await broker.kill();
  const report = { ...run.report(), tookMs: performance.now() - startedAtMs };
  // What a broker that hangs has written is worth a look.
  if (report.faults.length === 0) await rm(directory, { recursive: true, force: true });
  return report;
}

class Run {
  readonly #seed: number;
  readonly #broker: StartedNode;
  readonly #random: SeededRandom;
  readonly #hasKafkajs: boolean;
  readonly #protocol: 'classic' | 'consumer';
  readonly #recorder = new Counting();
  readonly #faults: string[] = [];
  #kills = 0;
  /** How far what is waited for has come. */
  #stuck = '';

  constructor(seed: number, broker: StartedNode) {
    this.#seed = seed;
    this.#broker = broker;
    this.#random = new SeededRandom(seed);
    this.#hasKafkajs = this.#random.chance(0.4);
    this.#protocol = this.#random.chance(0.5) ? 'classic' : 'consumer';
  }

  async all(): Promise<void> {
    const client = await connectTo({ port: this.#broker.port, name: 'director' });
    try {
      await this.#all(client);
    } catch (error) {
      const groups = await client.admin.groups.describe([PROCESSED_BY, 'members']).catch(String);
      this.#faults.push(`${String(error)} ${JSON.stringify(groups)}`);
    }
    await client.close().catch(() => {});
  }

  async #all(client: Client): Promise<void> {
    for (const topic of Object.values(TOPICS))
      await client.admin.topics.create(topic, { partitions: PARTITIONS });
    const writing = new AbortController();
    const processing = new AbortController();
    const writers = this.#writers(writing.signal);
    const processors = this.#processors(processing.signal);
    await this.#within('the clients and their broker', this.#killNowAndThen());
    writing.abort();
    await this.#within('what writes and reads could not stop', Promise.all(writers));
    await settle(client, WRITERS);
    await this.#within('not all is processed', this.#processed(client));
    processing.abort();
    await this.#within('what processes could not stop', Promise.all(processors));
    await settle(
      client,
      Array.from({ length: PROCESSORS }, (_, number) => processorId(number)),
    );
    await this.#within('not all could be read', readAll(this.#actor('last', writing.signal), client));
  }

  report(): Omit<RealRun, 'tookMs'> {
    const history = {
      operations: this.#recorder.history(),
      processed: new Set(
        Array.from({ length: PARTITIONS }, (_, partition) => keyOf(TOPICS.input, partition)),
      ),
    };
    return {
      seed: this.#seed,
      hasKafkajs: this.#hasKafkajs,
      operations: history.operations.length,
      transactions: this.#recorder.transactions,
      kills: this.#kills,
      verdict: check(history),
      faults: this.#faults,
      history,
    };
  }

  #actor(name: string, stopped: AbortSignal): ActorParts {
    return {
      port: this.#broker.port,
      name,
      stopped,
      random: this.#random.fork(),
      recorder: this.#recorder,
      onFault: (fault) => void this.#faults.push(fault),
    };
  }

  #writers(stopped: AbortSignal): Promise<void>[] {
    const actor = (name: string) => this.#actor(name, stopped);
    const actors = [
      plainWriter(actor('plain')),
      ...WRITERS.map((id, number) => transactionalWriter(actor(`txn-${number}`), id)),
      member(actor('member-1'), 'members', this.#protocol),
      member(actor('member-2'), 'members', this.#protocol),
    ];
    for (let partition = 0; partition < PARTITIONS; partition++)
      for (const topic of Object.values(TOPICS)) actors.push(reader(actor('reader'), topic, partition));
    if (!this.#hasKafkajs) return actors;
    return [
      ...actors,
      kafkajsWriter(actor('kafkajs-txn'), 'writer-kafkajs'),
      kafkajsMember(actor('kafkajs-member')),
    ];
  }

  #processors(stopped: AbortSignal): Promise<void>[] {
    return Array.from({ length: PROCESSORS }, (_, number) =>
      processor({
        ...this.#actor(`processor-${number}`, stopped),
        group: PROCESSED_BY,
        protocol: this.#protocol,
        transactionalId: processorId(number),
      }),
    );
  }

  /** By what was done, not by time: a slow machine does as much between two deaths. */
  async #killNowAndThen(): Promise<void> {
    const random = this.#random.fork();
    for (let left = random.integer(1, 2); left > 0; left--) {
      await this.#recorder.reached(random.integer(40, 250));
      this.#kills++;
      if (random.chance(0.2)) await this.#broker.stopOrKill(random.integer(0, 60));
      else await this.#broker.kill();
      if (random.chance(0.2)) await this.#broker.stillbirth(random.integer(0, 150));
      await this.#broker.revive();
    }
    await this.#recorder.reached(random.integer(40, 200));
  }

  async #processed(client: Client): Promise<void> {
    const ends = new Map<number, number>();
    for await (const { partition, offset } of client.read(TOPICS.input, {
      isolation: 'read_committed',
      live: false,
    }))
      ends.set(partition, offset + 1);
    for (;;) {
      const committed = await client.admin.groups.offsets(PROCESSED_BY);
      const at = new Map(committed.map(({ partition, offset }) => [partition, offset]));
      if ([...ends].every(([partition, end]) => (at.get(partition) ?? 0) >= end)) return;
      this.#stuck = JSON.stringify({ ends: [...ends], committed: [...at], protocol: this.#protocol });
      await setTimeout(20);
    }
  }

  async #within(what: string, work: Promise<unknown>): Promise<void> {
    const over = await Promise.race([work.then(() => true), setTimeout(PATIENCE_MS, false, { ref: false })]);
    if (over) return;
    const faults = this.#faults.join('; ');
    throw new Error(`seed ${this.#seed}: ${what}: after ${PATIENCE_MS} ms ${this.#stuck} ${faults}`);
  }
}

function processorId(number: number): string {
  return `processor-${number}`;
}

/** Tells when so much more was done. */
class Counting extends Recorder {
  #count = 0;
  #wanted = Infinity;
  #isReached = () => {};

  constructor() {
    super(() => performance.now());
  }

  override add(operation: Omit<Operation, 'endedAtMs'>): void {
    super.add(operation);
    if (++this.#count >= this.#wanted) this.#isReached();
  }

  reached(more: number): Promise<void> {
    this.#wanted = this.#count + more;
    return new Promise((resolve) => (this.#isReached = resolve));
  }
}
