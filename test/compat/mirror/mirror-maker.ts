import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { javaArguments } from '../kafka/toolchain.ts';

const OUTPUT_TAIL_CHARS = 4_000;

export interface MirrorSettings {
  source: string;
  target: string;
  /** For its file of settings. */
  directory: string;
}

/** MirrorMaker 2 in dedicated mode, in a process of its own, from a cluster called `source` to one called `target`. */
export class MirrorMaker {
  readonly #child: ChildProcess;
  #output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk) => (this.#output = `${this.#output}${chunk}`.slice(-OUTPUT_TAIL_CHARS)));
  }

  static async start({ source, target, directory }: MirrorSettings): Promise<MirrorMaker> {
    await mkdir(directory, { recursive: true });
    const path = join(directory, 'mm2.properties');
    const settings = {
      ...PLAIN,
      'source.bootstrap.servers': source,
      'target.bootstrap.servers': target,
      // Where it tells itself, as its leader, to fence what ran before.
      listeners: `http://127.0.0.1:${await freePort()}`,
    };
    const lines = Object.entries(settings).map((pair) => `${pair.join(' = ')}\n`);
    await writeFile(path, lines.join(''));
    const command = javaArguments('org.apache.kafka.connect.mirror.MirrorMaker', [path], {
      bundle: 'mirror',
    });
    return new MirrorMaker(spawn('java', command, { stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** What it printed last; undefined as long as it runs. */
  get lastWords(): string | undefined {
    const isRunning = this.#child.exitCode === null && this.#child.signalCode === null;
    return isRunning ? undefined : this.#output;
  }

  get output(): string {
    return this.#output;
  }

  /** Idempotent. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.lastWords !== undefined) return;
    const ended = once(this.#child, 'close');
    this.#child.kill(signal);
    await ended;
  }
}

/** Every second where it would look each minute; each record once, and only those that count. */
const PLAIN: Readonly<Record<string, string>> = {
  clusters: 'source, target',
  'source->target.enabled': 'true',
  'target->source.enabled': 'false',
  'source->target.topics': 'orders, prices, late',
  'source->target.groups': 'readers, followers',
  'replication.factor': '1',
  'checkpoints.topic.replication.factor': '1',
  'heartbeats.topic.replication.factor': '1',
  'offset-syncs.topic.replication.factor': '1',
  'offset.storage.replication.factor': '1',
  'status.storage.replication.factor': '1',
  'config.storage.replication.factor': '1',
  'offset.lag.max': '0',
  'sync.group.offsets.enabled': 'true',
  'sync.group.offsets.interval.seconds': '1',
  'sync.topic.configs.interval.seconds': '1',
  'emit.checkpoints.interval.seconds': '1',
  'emit.heartbeats.interval.seconds': '1',
  'refresh.topics.interval.seconds': '1',
  'refresh.groups.interval.seconds': '1',
  'offset.flush.interval.ms': '500',
  'source.consumer.isolation.level': 'read_committed',
  'target.exactly.once.source.support': 'enabled',
  'dedicated.mode.enable.internal.rest': 'true',
};
