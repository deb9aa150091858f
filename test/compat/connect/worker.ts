import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { JavaProcess } from '../kafka/java-process.ts';

const CLI = 'org.apache.kafka.connect.cli';
const STRINGS = 'org.apache.kafka.connect.storage.StringConverter';

type Properties = Readonly<Record<string, string>>;

const OF_BOTH: Properties = {
  'key.converter': STRINGS,
  'value.converter': STRINGS,
  'offset.flush.interval.ms': '500',
  'consumer.isolation.level': 'read_committed',
};
const DISTRIBUTED: Properties = {
  ...OF_BOTH,
  'group.id': 'workers',
  'exactly.once.source.support': 'enabled',
  'config.storage.topic': 'connect-configs',
  'offset.storage.topic': 'connect-offsets',
  'status.storage.topic': 'connect-status',
  'offset.storage.partitions': '3',
  'status.storage.partitions': '2',
  'config.storage.replication.factor': '1',
  'offset.storage.replication.factor': '1',
  'status.storage.replication.factor': '1',
  // What a worker had that is gone goes to the others at once.
  'scheduled.rebalance.max.delay.ms': '0',
  'session.timeout.ms': '6000',
  'heartbeat.interval.ms': '500',
};

export interface Status {
  connector: { state: string; worker_id: string };
  tasks: { state: string; worker_id: string; trace?: string }[];
}

/** A worker of Kafka Connect in a process of its own. */
export class Worker {
  readonly process: JavaProcess;
  readonly #url: string;

  private constructor(process: JavaProcess, url: string) {
    this.process = process;
    this.#url = url;
  }

  static async distributed(address: string, directory: string): Promise<Worker> {
    const listener = `http://127.0.0.1:${await freePort()}`;
    const file = await propertiesFile(directory, `worker-${new URL(listener).port}`, {
      ...DISTRIBUTED,
      'bootstrap.servers': address,
      listeners: listener,
    });
    const process = JavaProcess.start(`${CLI}.ConnectDistributed`, [file], { bundle: 'connect' });
    return new Worker(process, listener);
  }

  /** With the connectors it has from the beginning. */
  static async standalone(
    address: string,
    directory: string,
    connectors: readonly Properties[],
  ): Promise<Worker> {
    const listener = `http://127.0.0.1:${await freePort()}`;
    const own = {
      ...OF_BOTH,
      'bootstrap.servers': address,
      listeners: listener,
      'offset.storage.file.filename': join(directory, 'standalone.offsets'),
    };
    const files = [await propertiesFile(directory, 'standalone', own)];
    for (const connector of connectors)
      files.push(await propertiesFile(directory, connector['name'] ?? '', connector));
    const process = JavaProcess.start(`${CLI}.ConnectStandalone`, files, { bundle: 'connect' });
    return new Worker(process, listener);
  }

  /** Over its REST API; undefined as long as it does not answer, or answers that it is at something else. */
  async ask<Answer>(method: string, path: string, body?: object): Promise<Answer | undefined> {
    if (this.process.lastWords !== undefined) throw new Error(`it ended:\n${this.process.lastWords}`);
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    }).catch(() => undefined);
    if (response === undefined) return undefined;
    const text = await response.text();
    if (response.ok) return (text === '' ? {} : JSON.parse(text)) as Answer;
    if (response.status >= 500 || response.status === 409 || response.status === 404) return undefined;
    throw new Error(`${method} ${path}: ${response.status} ${text}`);
  }
}

async function propertiesFile(directory: string, name: string, properties: Properties): Promise<string> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${name}.properties`);
  const lines = Object.entries(properties).map((pair) => `${pair.join('=')}\n`);
  await writeFile(path, lines.join(''));
  return path;
}
