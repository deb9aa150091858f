import { connect } from '../../src/hosts/node/connect.ts';
import { Broker } from '../../src/hosts/node/broker.ts';
import { Run } from './milena.ts';

/** A broker in memory, and commands that know where it is. */
export class PipedHome {
  readonly broker: Broker;
  readonly url: string;
  readonly #runs: Run[] = [];

  private constructor(broker: Broker) {
    this.broker = broker;
    this.url = `kafka://127.0.0.1:${broker.kafka.port}`;
  }

  static async open(): Promise<PipedHome> {
    const settings = new Map([
      ['group.initial.rebalance.delay.ms', '0'],
      ['offsets.topic.num.partitions', '2'],
      // What it is given is of any time.
      ['log.retention.ms', '-1'],
    ]);
    return new PipedHome(await Broker.start({ settings }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#runs.map((run) => run.ended('SIGKILL')));
    await this.broker.close();
  }

  async topic(name: string, partitions = 1): Promise<string> {
    await using client = await connect(this.url);
    await client.admin.topics.create(name, { partitions });
    return name;
  }

  start(args: readonly string[], input?: string | Uint8Array): Run {
    const environment = { MILENA_URL: this.url };
    const run = Run.milenaWith(input === undefined ? { environment } : { environment, input }, ...args);
    this.#runs.push(run);
    return run;
  }

  /** Its input stays open. */
  pending(args: readonly string[]): Run {
    const run = Run.milena(...args, '--url', this.url);
    this.#runs.push(run);
    return run;
  }

  async run(args: readonly string[], input?: string | Uint8Array) {
    const run = this.start(args, input);
    const code = await run.ended();
    return { code, stdout: run.stdout, stderr: run.stderr };
  }

  /** Its stdout, once it has ended well. @throws with what it said otherwise. */
  async out(args: readonly string[], input?: string | Uint8Array): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, input);
    if (code !== 0) throw new Error(`${args.join(' ')}: exit ${code}: ${stderr}`);
    return stdout;
  }
}

/** A line each. */
export function ndjson(records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}
