import { deepStrictEqual, ok } from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { type Status, Worker } from './connect/worker.ts';
import { type Ask, inTurn } from './kafka/answers.ts';
import { askBoth, type Home } from './kafka/homes.ts';
import { missingKafka } from './kafka/toolchain.ts';
import type { Suite } from './suite.ts';

const LINES = 500;
const PARTITIONS = 3;
const LOOK_AGAIN_MS = 100;
const FILE = 'org.apache.kafka.connect.file';

/** Workers of Kafka Connect, with the connectors it brings: files that become topics, and topics that become files. */
export const suite: Suite = {
  name: 'connect',
  missing: async () => (await missingKafka()) ?? (await missingKafka('connect')),
  run: (check) => askBoth(check, { suite: 'connect' }, askConnect),
};

async function askConnect(ask: Ask, home: Home): Promise<void> {
  await using cluster = await Cluster.of(home);
  const next = inTurn(ask);
  await next('connect-distributed: a worker begins, and makes its topics', async () => {
    await cluster.start('first');
    await cluster.until(async () => (await cluster.ask('GET', '/connectors')) !== undefined);
    return (await cluster.topics(/^connect-/)).join(', ');
  });
  await next(
    'a source, with exactly.once.source.support: a file becomes a topic, each line once',
    async () => {
      await cluster.addLines();
      await cluster.configure('source', cluster.source('lines'));
      return `${await cluster.linesCame('lines')} lines, ${(await cluster.topics(/^lines$/)).join()}`;
    },
  );
  await next('a sink: the topic becomes a file, and the group of its tasks has read all', async () => {
    await cluster.configure('sink', cluster.sink('lines'));
    await cluster.linesWritten();
    await cluster.until(async () => (await cluster.lagOf('connect-sink')) === 0);
    return 'connect-sink, lag 0';
  });
  await next('killed while it works, and started again: each line once', async () => {
    const adding = cluster.addLines(20);
    await cluster.linesGrow('lines');
    await cluster.stop('first', 'SIGKILL');
    await adding;
    await cluster.start('first');
    return `${await cluster.linesCame('lines')} lines`;
  });
  await next('a second worker takes part; killed, the first, it goes on alone', async () => {
    await cluster.start('second');
    await cluster.until(async () => (await cluster.workers()).size === 2);
    await cluster.addLines();
    await cluster.linesCame('lines');
    await cluster.stop('first', 'SIGKILL');
    await cluster.until(async () => (await cluster.workers()).size === 1);
    await cluster.addLines();
    const came = await cluster.linesCame('lines');
    await cluster.linesWritten();
    return `${came} lines`;
  });
  await next(
    'positions of a sink are taken away by its REST API, and all comes again (KIP-875)',
    async () => {
      await cluster.told('PUT', '/connectors/sink/stop');
      await cluster.until(async () => (await cluster.status('sink'))?.connector.state === 'STOPPED');
      await cluster.forgetWritten();
      await cluster.told('DELETE', '/connectors/sink/offsets');
      await cluster.told('PUT', '/connectors/sink/resume');
      await cluster.linesWritten();
      return 'all lines';
    },
  );
  await next('connect-standalone: a file, a topic, a file', async () => {
    await cluster.stop('second', 'SIGTERM');
    await cluster.forgetWritten();
    await cluster.startAlone();
    const came = await cluster.linesCame('alone');
    await cluster.linesWritten();
    return `${came} lines`;
  });
}

/** What is asked of workers, and what came of it. */
class Cluster implements AsyncDisposable {
  readonly #home: Home;
  readonly #client: Client;
  readonly #workers = new Map<string, Worker>();
  readonly #from: string;
  readonly #to: string;
  #written = 0;

  private constructor(home: Home, client: Client) {
    this.#home = home;
    this.#client = client;
    this.#from = join(home.directory, 'from.txt');
    this.#to = join(home.directory, 'to.txt');
  }

  static async of(home: Home): Promise<Cluster> {
    return new Cluster(home, await connect(`kafka://${home.address}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#workers.keys()) await this.stop(name, 'SIGKILL');
    await this.#client.close();
  }

  async start(name: string): Promise<void> {
    this.#workers.set(name, await Worker.distributed(this.#home.address, this.#home.directory));
  }

  async startAlone(): Promise<void> {
    const connectors = [
      { name: 'source-alone', ...this.source('alone') },
      { name: 'sink-alone', ...this.sink('alone') },
    ];
    const worker = await Worker.standalone(this.#home.address, this.#home.directory, connectors);
    this.#workers.set('alone', worker);
  }

  async stop(name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const worker = this.#workers.get(name);
    this.#workers.delete(name);
    await worker?.process.stop(signal);
  }

  /** The one that was started last. */
  ask<Answer>(method: string, path: string, body?: object): Promise<Answer | undefined> {
    const worker = [...this.#workers.values()].at(-1);
    ok(worker, 'a worker runs');
    return worker.ask(method, path, body);
  }

  /** Until it is done. */
  async told(method: string, path: string, body?: object): Promise<void> {
    await this.until(async () => (await this.ask(method, path, body)) !== undefined);
  }

  /** Looks again and again. @throws when a worker has ended by itself. */
  async until(met: () => Promise<boolean>): Promise<void> {
    while (!(await met())) {
      const ended = [...this.#workers.values()].find(({ process }) => process.lastWords !== undefined);
      if (ended !== undefined) throw new Error(`it ended:\n${ended.process.lastWords}`);
      await pause(LOOK_AGAIN_MS);
    }
  }

  source(topic: string): Record<string, string> {
    return {
      'connector.class': `${FILE}.FileStreamSourceConnector`,
      file: this.#from,
      topic,
      'batch.size': '100',
      'topic.creation.default.replication.factor': '1',
      'topic.creation.default.partitions': String(PARTITIONS),
    };
  }

  sink(topic: string): Record<string, string> {
    return {
      'connector.class': `${FILE}.FileStreamSinkConnector`,
      file: this.#to,
      topics: topic,
      'tasks.max': '2',
    };
  }

  async configure(name: string, config: Record<string, string>): Promise<void> {
    await this.told('PUT', `/connectors/${name}/config`, config);
  }

  status(name: string): Promise<Status | undefined> {
    return this.ask('GET', `/connectors/${name}/status`);
  }

  /** Those that have a connector or a task that runs, once all do. */
  async workers(): Promise<Set<string>> {
    const all = [await this.status('source'), await this.status('sink')];
    const parts = all.flatMap((one) => (one === undefined ? [] : [one.connector, ...one.tasks]));
    const isWhole = parts.length === 5 && parts.every(({ state }) => state === 'RUNNING');
    return new Set(isWhole ? parts.map((part) => part.worker_id) : []);
  }

  async topics(named: RegExp): Promise<string[]> {
    const all = await this.#client.admin.topics.list();
    return all.filter(({ name }) => named.test(name)).map(({ name, partitions }) => `${name}: ${partitions}`);
  }

  async lagOf(group: string): Promise<number> {
    return (await this.#client.admin.groups.lag(group)).lag;
  }

  async addLines(times = 1): Promise<void> {
    for (let time = 0; time < times; time++) {
      const numbers = Array.from({ length: LINES }, () => this.#written++);
      await appendFile(this.#from, numbers.map((number) => `line ${number}\n`).join(''));
      if (times > 1) await pause(LOOK_AGAIN_MS);
    }
  }

  /** Resolves once each line is in the topic. @throws when one is there twice. @returns how many. */
  async linesCame(topic: string): Promise<number> {
    const wanted = this.#lines();
    let values: string[] = [];
    await this.until(async () => {
      values = await this.#values(topic);
      deepStrictEqual(values.length, new Set(values).size, 'each once');
      return values.length >= wanted.length;
    });
    deepStrictEqual(values.toSorted(), wanted.toSorted());
    return values.length;
  }

  async linesGrow(topic: string): Promise<void> {
    const before = (await this.#values(topic)).length;
    await this.until(async () => (await this.#values(topic)).length > before);
  }

  /** Resolves once each is in the file, some of them more than once: a sink promises no more. */
  async linesWritten(): Promise<void> {
    const wanted = this.#lines();
    await this.until(async () => {
      const text = await readFile(this.#to, 'utf8').catch(() => '');
      const written = new Set(text.split('\n'));
      return wanted.every((line) => written.has(line));
    });
  }

  async forgetWritten(): Promise<void> {
    await writeFile(this.#to, '');
  }

  #lines(): string[] {
    return Array.from({ length: this.#written }, (_, number) => `line ${number}`);
  }

  async #values(topic: string): Promise<string[]> {
    const values: string[] = [];
    for await (const { value } of this.#client.read(topic, {
      live: false,
      isolation: 'read_committed',
      from: 'earliest',
    }))
      values.push(String(Buffer.from(value ?? [])));
    return values;
  }
}
