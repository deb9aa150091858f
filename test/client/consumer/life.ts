import type { Client } from '../../../src/client/client.ts';
import type { ConsumedRecord } from '../../../src/client/consumer/consumed-record.ts';
import type { Consumer } from '../../../src/client/consumer/consumer.ts';
import type { ConsumerOptions } from '../../../src/client/consumer/options.ts';
import { clientOf } from '../fake-client.ts';
import { FakeCluster, type FakeOptions, TOPIC } from '../fake-cluster.ts';
import { FakeGroups } from '../fake-groups.ts';
import { FakeLogs, type FakeLogsOptions } from '../fake-logs.ts';

export type Options = Partial<ConsumerOptions<Uint8Array | null, Uint8Array | null>>;

/** A cluster with records and groups, in virtual time. */
export class ConsumerWorld {
  readonly fake: FakeCluster;
  readonly groups: FakeGroups;
  readonly logs: FakeLogs;

  constructor(options: FakeOptions = {}, logs: FakeLogsOptions = {}) {
    this.fake = new FakeCluster({ partitions: 4, ...options });
    this.groups = new FakeGroups(this.fake);
    this.logs = new FakeLogs(this.fake, logs);
  }

  get nowMs(): number {
    return this.fake.scheduler.now();
  }

  client(retryForMs = 30_000): Client {
    return clientOf(this.fake, retryForMs);
  }

  consumer(options: Options = {}, client = this.client()): Consumer {
    const quick = { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 1_000, rebalanceTimeoutMs: 20_000 };
    return client.consumer({ group: 'group', topics: TOPIC, ...quick, ...options });
  }

  /** Values of a partition begin with its number. */
  write(partition: number, count: number): void {
    const log = this.logs.log(partition);
    for (let at = 0; at < count; at++) log.append([`${partition}-${log.endOffset}`]);
    this.logs.wake();
  }

  run<T>(work: Promise<T>): Promise<T> {
    return this.fake.run(work);
  }

  sleep(ms: number): Promise<void> {
    return this.run(this.fake.scheduler.sleep(ms));
  }

  /** What it throws; undefined when it does not. */
  async failureOf(work: Promise<unknown>): Promise<(Error & { code?: string }) | undefined> {
    return this.run(
      work.then(
        () => undefined,
        (error: Error) => error,
      ),
    );
  }

  committed(): (number | undefined)[] {
    return this.fake.leaders.map((_, partition) => this.groups.committed(TOPIC, partition));
  }
}

export function valueOf({ value }: ConsumedRecord): string {
  return String(Buffer.from(value ?? []));
}
