import { deepStrictEqual } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../../src/client/client.ts';
import type { Consumer } from '../../src/client/consumer/consumer.ts';
import type { AssignorChoice } from '../../src/client/group/assignors/choice.ts';
import { Broker } from '../../src/hosts/node/broker.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { KafkaBroker } from './kafka/broker.ts';
import { javaArguments, missingKafka } from './kafka/toolchain.ts';
import type { Check, Suite } from './suite.ts';

const CLUSTER_ID = 'Z3JvdXBzLWFyZS1zaGFyZQ';
const PARTITIONS = 6;
const LOOK_AGAIN_MS = 50;
const ASSIGNORS = [
  ['range', 'RangeAssignor'],
  ['roundrobin', 'RoundRobinAssignor'],
  ['sticky', 'StickyAssignor'],
  ['cooperative-sticky', 'CooperativeStickyAssignor'],
] as const;

/** Our consumer and Java's in one group, on Kafka's broker and on ours: either may lead it. */
export const suite: Suite = {
  name: 'client-groups',
  missing: missingKafka,
  async run(check) {
    const directory = await mkdtemp(join(tmpdir(), 'milena-groups-'));
    await KafkaBroker.format(directory, CLUSTER_ID);
    const kafka = await KafkaBroker.start(directory);
    try {
      await shareWithJava(check, { home: 'Kafka', address: kafka.address });
    } finally {
      await kafka.stop('SIGKILL');
      await rm(directory, { recursive: true });
    }
    const ours = await Broker.start({
      settings: new Map([['group.initial.rebalance.delay.ms', '0']]),
      log: { info: () => {}, warn: () => {}, error: () => {} },
    });
    try {
      await shareWithJava(check, { home: 'ours', address: `${ours.kafka.host}:${ours.kafka.port}` });
    } finally {
      await ours.close();
    }
  },
};

async function shareWithJava(check: Check, at: { home: string; address: string }): Promise<void> {
  const client = await connect(`kafka://${at.address}`);
  for (const [assignor, java] of ASSIGNORS)
    for (const who of ['we lead', 'it leads'] as const)
      await check(`${assignor}, ${who}, on ${at.home}: partitions are shared and go over both ways`, () =>
        share(client, at.address, { assignor, java, who }),
      );
  await client.close();
}

interface Shared {
  assignor: AssignorChoice;
  java: string;
  who: 'we lead' | 'it leads';
}

async function share(client: Client, address: string, { assignor, java, who }: Shared): Promise<void> {
  const topic = `${java}-${who.replace(' ', '-')}`;
  await client.admin.topics.create(topic, { partitions: PARTITIONS });
  const seen = new Set<string>();
  const join = () => ourMember(client, { topic, assignor, seen });
  let us: Consumer | undefined = who === 'we lead' ? join() : undefined;
  if (us !== undefined) await until(() => us?.assignment.length === PARTITIONS);
  const other = await JavaMember.start(address, topic, java);
  us ??= join();
  const consumer = us;
  try {
    await until(() => consumer.assignment.length === PARTITIONS / 2);
    const write = (prefix: string) =>
      client.send(
        topic,
        Array.from({ length: PARTITIONS }, (_, partition) => ({
          value: `${prefix}-${partition}`,
          partition,
        })),
      );
    const all = (prefix: string) => ({
      ours: [...seen].filter((value) => value.startsWith(prefix)).length,
      its: other.valuesOf(prefix).size,
    });
    // What moves stands still until both know it: whoever has it then reads it.
    await write('both');
    await until(() => all('both').ours + all('both').its === PARTITIONS);
    deepStrictEqual(all('both'), { ours: 3, its: 3 });
    await other.stop();
    await until(() => consumer.assignment.length === PARTITIONS);
    await write('alone');
    await until(() => all('alone').ours === PARTITIONS);
    const again = await JavaMember.start(address, topic, java);
    await until(() => consumer.assignment.length === PARTITIONS / 2);
    await consumer.close();
    await write('its');
    await until(() => again.valuesOf('its').size === PARTITIONS);
    deepStrictEqual(again.valuesOf('alone').size, 0);
    await again.stop();
  } finally {
    await consumer.close();
    await other.stop();
  }
}

function ourMember(
  client: Client,
  { topic, assignor, seen }: { topic: string; assignor: AssignorChoice; seen: Set<string> },
): Consumer {
  const quick = { heartbeatIntervalMs: 100, autoCommit: { intervalMs: 100 } };
  const consumer = client.consumer({ group: `of-${topic}`, topics: topic, assignors: [assignor], ...quick });
  consumer.run(({ value }) => seen.add(String(Buffer.from(value ?? [])))).catch(() => {});
  return consumer;
}

/** `kafka-console-consumer` as a member of the topic's group. */
class JavaMember {
  readonly #child: ChildProcess;
  readonly #values = new Set<string>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    let rest = '';
    child.stdout?.on('data', (chunk) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#values.add(line.trim());
    });
  }

  static async start(address: string, topic: string, assignor: string): Promise<JavaMember> {
    const config = await mkdtemp(join(tmpdir(), 'milena-java-'));
    const path = join(config, 'consumer.properties');
    const settings = {
      'group.id': `of-${topic}`,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': '100',
      'heartbeat.interval.ms': '100',
      'session.timeout.ms': '10000',
      'partition.assignment.strategy': `org.apache.kafka.clients.consumer.${assignor}`,
    };
    await writeFile(
      path,
      Object.entries(settings)
        .map(([key, value]) => `${key}=${value}`)
        .join('\n'),
    );
    const tool = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
    const args = ['--bootstrap-server', address, '--topic', topic, '--consumer.config', path];
    const child = spawn('java', javaArguments(tool, args), { stdio: ['ignore', 'pipe', 'pipe'] });
    void once(child, 'close').then(() => rm(config, { recursive: true, force: true }));
    return new JavaMember(child);
  }

  valuesOf(prefix: string): Set<string> {
    return new Set([...this.#values].filter((value) => value.startsWith(`${prefix}-`)));
  }

  /** It leaves the group, and ends. Idempotent. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

async function until(met: () => boolean): Promise<void> {
  while (!met()) await pause(LOOK_AGAIN_MS);
}
