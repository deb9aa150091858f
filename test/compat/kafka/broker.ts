import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { freePort } from '../../support/free-port.ts';
import { javaArguments, runTool } from './toolchain.ts';

const READY_TIMEOUT_MS = 90_000;
const LOOK_AGAIN_MS = 100;

/** Which of a cluster's brokers one is. The first is also its controller, the only voter. */
export interface Seat {
  readonly nodeId: number;
  readonly port: number;
  /** Of the first. */
  readonly controllerPort: number;
}

/** A real Kafka broker on a data directory, alone unless it is given a seat. */
export class KafkaBroker {
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #config: string;
  /** What it printed: warnings and errors. */
  #output = '';

  private constructor(child: ChildProcess, port: number, config: string) {
    this.#child = child;
    this.#config = config;
    this.address = `127.0.0.1:${port}`;
    child.stdout?.on('data', (chunk) => (this.#output += chunk));
    child.stderr?.on('data', (chunk) => (this.#output += chunk));
  }

  /** Starts one on a directory that is formatted, by Kafka or by us, and waits until it serves. */
  static async start(
    directory: string,
    settings: Readonly<Record<string, string>> = {},
    seat?: Seat,
  ): Promise<KafkaBroker> {
    const config = await mkdtemp(join(tmpdir(), 'milena-kafka-'));
    const own = seat ?? { nodeId: 1, port: await freePort(), controllerPort: await freePort() };
    const properties = { ...serverProperties(directory, own), ...settings };
    const path = join(config, 'server.properties');
    await writeFile(path, encodeProperties(properties));
    const child = spawn('java', javaArguments('kafka.Kafka', [path]), { stdio: ['ignore', 'pipe', 'pipe'] });
    const broker = new KafkaBroker(child, own.port, config);
    await broker.#ready();
    return broker;
  }

  /** Makes a directory as `kafka-storage format` does. */
  static async format(
    directory: string,
    clusterId: string,
    seat: Seat = { nodeId: 1, port: 1, controllerPort: 2 },
  ): Promise<void> {
    const config = await mkdtemp(join(tmpdir(), 'milena-kafka-'));
    const path = join(config, 'server.properties');
    await writeFile(path, encodeProperties(serverProperties(directory, seat)));
    await runTool('kafka.tools.StorageTool', ['format', '--cluster-id', clusterId, '--config', path]);
    await rm(config, { recursive: true });
  }

  /** Warnings and errors it has printed, a line each. */
  get complaints(): string[] {
    return this.#output.split('\n').filter((line) => /\b(?:WARN|ERROR|FATAL)\b/.test(line));
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'close');
      this.#child.kill(signal);
      await exited;
    }
    await rm(this.#config, { recursive: true, force: true });
  }

  /** It says when it has started, and listens before. */
  async #ready(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), READY_TIMEOUT_MS);
    const ended = once(this.#child, 'close').then(() => true);
    while (!this.#output.includes('Kafka Server started')) {
      if ((await Promise.race([ended, once(this.#child.stderr!, 'data')])) !== true) continue;
      await this.stop();
      throw new Error(`Kafka did not start: ${this.#output.slice(-3_000)}`);
    }
    while (!(await leadsAll(this.address))) await pause(LOOK_AGAIN_MS);
    clearTimeout(timer);
  }
}

/** It has started, but the registration it found was not its own: only now it is elected for what it leads. */
async function leadsAll(address: string): Promise<boolean> {
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    for (const topic of await admin.listTopics()) await admin.fetchTopicOffsets(topic);
    return true;
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
}

function serverProperties(directory: string, { nodeId, port, controllerPort }: Seat): Record<string, string> {
  const isVoter = nodeId === 1;
  const listeners = [`PLAINTEXT://127.0.0.1:${port}`];
  if (isVoter) listeners.push(`CONTROLLER://127.0.0.1:${controllerPort}`);
  return {
    'process.roles': isVoter ? 'broker,controller' : 'broker',
    'node.id': String(nodeId),
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: listeners.join(),
    'log.dirs': directory,
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '4',
    'group.share.assignment.interval.ms': '0',
    'group.initial.rebalance.delay.ms': '0',
    'group.consumer.assignment.interval.ms': '0',
    'group.consumer.min.heartbeat.interval.ms': '100',
    'group.consumer.heartbeat.interval.ms': '100',
    // The registration of a node that was killed holds until its session ends.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
  };
}

function encodeProperties(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
