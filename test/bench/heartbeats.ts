import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as afterMs } from 'node:timers/promises';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import {
  consumerGroupHeartbeatApi,
  type ConsumerGroupHeartbeatResponse,
} from '../../src/wire/apis/68-consumer-group-heartbeat.ts';
import { Connection } from '../crash/connection.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { median, report } from './harness.ts';

const GROUPS = 1_000;
const MEMBERS = 10;
const TOPIC = 'bench';
/** A member has a connection of its own in life; here those of ten groups share one, since sockets are not measured. */
const GROUPS_A_CONNECTION = 10;
const INTERVAL_MS = 5_000;
const ROUNDS = 15;
/** A group has settled when its members have said, each several times, what they gave up. */
const SETTLE_ROUNDS = 6;

interface Member {
  readonly groupId: string;
  readonly memberId: string;
  epoch: number;
  /** What it has to say that it owns; undefined when nothing is new. */
  owned: readonly { topicId: string; partitions: readonly number[] }[] | undefined;
}

interface Line {
  readonly connection: Connection;
  readonly members: readonly Member[];
}

/** What 1,000 groups of 10 members by KIP-848 cost a broker that only hears that they live. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  const broker = await BrokerProcess.start(['--data', directory, '--flush', 'never']);
  try {
    const lines = await openLines(broker);
    for (let round = 0; round < SETTLE_ROUNDS; round++) await Promise.all(lines.map(settle));
    const cores: number[] = [];
    for (let round = 0; round < ROUNDS; round++) cores.push(await coresOf(broker, lines));
    const bench = `${GROUPS} groups of ${MEMBERS} members, a heartbeat each ${INTERVAL_MS / 1000} s`;
    report({ bench, value: median(cores) * 100, unit: '% of a core', bar: { atMost: 30 } });
    for (const { connection } of lines) connection.close();
  } finally {
    await broker.stop();
    rmSync(directory, { recursive: true });
  }
}

async function openLines(broker: BrokerProcess): Promise<Line[]> {
  const { port } = broker.ready.kafka;
  const first = await Connection.open(port);
  const topic = { name: TOPIC, numPartitions: MEMBERS, replicationFactor: 1, assignments: [], configs: [] };
  await first.request(createTopicsApi, 5, { topics: [topic] });
  while ((await first.request(findCoordinatorApi, 3, { key: 'first' })).errorCode !== 0);
  first.close();
  return Promise.all(
    Array.from({ length: GROUPS / GROUPS_A_CONNECTION }, async (_, line) => ({
      connection: await Connection.open(port),
      members: Array.from({ length: GROUPS_A_CONNECTION * MEMBERS }, (__, at): Member => {
        const groupId = `group-${line * GROUPS_A_CONNECTION + (at % GROUPS_A_CONNECTION)}`;
        return { groupId, memberId: `${groupId}-${at}`, epoch: 0, owned: [] };
      }),
    })),
  );
}

/** Every member once, one behind the other. */
async function settle({ connection, members }: Line): Promise<void> {
  for (const member of members) await beat(connection, member);
}

/** Of one core, as long as every member says once that it lives, spread over the interval. */
async function coresOf(broker: BrokerProcess, lines: readonly Line[]): Promise<number> {
  const cpuBefore = broker.cpuSeconds();
  const startedAtMs = performance.now();
  await Promise.all(lines.map((line) => live(line, startedAtMs)));
  const tookSeconds = Math.max(performance.now() - startedAtMs, INTERVAL_MS) / 1000;
  return (broker.cpuSeconds() - cpuBefore) / tookSeconds;
}

async function live({ connection, members }: Line, startedAtMs: number): Promise<void> {
  const stepMs = INTERVAL_MS / members.length;
  for (const [at, member] of members.entries()) {
    await afterMs(Math.max(0, startedAtMs + at * stepMs - performance.now()));
    const { assignment } = await beat(connection, member);
    if (assignment !== null) throw new Error(`${member.groupId} has not settled`);
  }
}

async function beat(connection: Connection, member: Member): Promise<ConsumerGroupHeartbeatResponse> {
  const { groupId, memberId, epoch: memberEpoch, owned: topicPartitions = null } = member;
  const joins = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: [TOPIC] };
  const said = { groupId, memberId, memberEpoch, topicPartitions, ...(memberEpoch === 0 ? joins : {}) };
  const answer = await connection.request(consumerGroupHeartbeatApi, 1, said);
  if (answer.errorCode !== 0) throw new Error(`${memberId} was answered with error ${answer.errorCode}`);
  member.epoch = answer.memberEpoch;
  member.owned = answer.assignment?.topicPartitions;
  return answer;
}
