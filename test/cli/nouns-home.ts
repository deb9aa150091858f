import { afterAll, beforeAll } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { ClientBroker } from '../clients/fixture.ts';
import { Run } from './milena.ts';

/** A broker, a client of it, and the command line as processes against it. */
export class NounsHome {
  readonly broker = new ClientBroker('memory');
  #client: Client | undefined;

  get client(): Client {
    if (this.#client === undefined) throw new Error('no test has begun');
    return this.#client;
  }

  async start(): Promise<void> {
    await this.broker.start();
    this.#client = await connect(`kafka://${this.broker.address}`);
  }

  async stop(): Promise<void> {
    await this.#client?.close();
    await this.broker.stop();
  }

  async milena(...args: string[]) {
    const environment = { MILENA_URL: this.broker.address };
    const run = Run.milenaWith({ environment, input: '' }, ...args);
    const code = await run.ended();
    return { code, stdout: run.stdout, stderr: run.stderr };
  }

  /** What it prints with `--json`. @throws when it fails. */
  async json(...args: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await this.milena(...args, '--json');
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  /** Two partitions with five records each, their times 1,000 to 5,000. */
  async filled(): Promise<string> {
    const name = this.broker.name('topic');
    await this.client.admin.topics.create(name, { partitions: 2 });
    for (const partition of [0, 1])
      await this.client.send(
        name,
        [1, 2, 3, 4, 5].map((at) => ({ value: 'x', partition, timestamp: at * 1000 })),
      );
    return name;
  }
}

export function useNouns(): NounsHome {
  const home = new NounsHome();
  beforeAll(() => home.start());
  afterAll(() => home.stop());
  return home;
}

export const rowsOf = (stdout: string) =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
