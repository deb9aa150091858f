import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../../src/hosts/node/broker.ts';
import { type Answer, type Ask, asking, keepAnswers } from './answers.ts';
import { KafkaBroker } from './broker.ts';
import type { Check } from '../suite.ts';

/** A broker that is asked: Apache Kafka's, so that what is wanted is true, or ours. */
export interface Home {
  readonly maker: 'Apache Kafka' | 'Milena';
  readonly address: string;
  /** For files of whoever asks; removed with the broker. */
  readonly directory: string;
}

const CLUSTER_ID = 'Y29tcGF0aWJsZS13aXRoLg';
const OURS = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.num.partitions': '4',
  'group.consumer.assignment.interval.ms': '0',
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '100',
};

/** What is needed of both. */
export type Settings = Readonly<Record<string, string>>;

/** Runs a suite's checks of both, one after the other, and keeps what ours answered. */
export async function askBoth(
  check: Check,
  { suite, settings = {} }: { suite: string; settings?: Settings },
  work: (ask: Ask, home: Home) => Promise<void>,
): Promise<void> {
  await withKafka((home) => work(asking(check, 'of Apache Kafka', []), home), settings);
  const answers: Answer[] = [];
  await withOurs((home) => work(asking(check, 'of ours', answers), home), settings);
  await keepAnswers(suite, answers);
}

export async function withKafka(work: (home: Home) => Promise<void>, settings: Settings = {}): Promise<void> {
  await inDirectory(async (directory) => {
    const data = join(directory, 'kafka');
    await KafkaBroker.format(data, CLUSTER_ID);
    const kafka = await KafkaBroker.start(data, settings);
    try {
      await work({ maker: 'Apache Kafka', address: kafka.address, directory });
    } finally {
      await kafka.stop('SIGKILL');
    }
  });
}

/** @throws too when it warned of something, or closed a connection for what was sent. */
export async function withOurs(work: (home: Home) => Promise<void>, settings: Settings = {}): Promise<void> {
  await inDirectory(async (directory) => {
    const warnings: string[] = [];
    const broker = await Broker.start({
      directory: join(directory, 'milena'),
      settings: new Map(Object.entries({ ...OURS, ...settings })),
      log: { info: () => {}, warn: (text) => warnings.push(text), error: (text) => warnings.push(text) },
    });
    try {
      await work({ maker: 'Milena', address: `127.0.0.1:${broker.kafka.port}`, directory });
    } finally {
      await broker.close();
    }
    const closes = [...broker.gateway.counters.closedByReason.keys()].filter((why) => why !== 'shutdown');
    const complaints = [...closes, ...warnings.filter((text) => !text.startsWith('slow commit'))];
    if (complaints.length > 0) throw new Error(`the broker complained: ${complaints.join(', ')}`);
  });
}

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'milena-compat-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
