import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { JavaProcess } from '../kafka/java-process.ts';

export interface MirrorSettings {
  source: string;
  target: string;
  /** For its file of settings. */
  directory: string;
}

/** MirrorMaker 2 in dedicated mode, in a process of its own, from a cluster called `source` to one called `target`. */
export async function startMirrorMaker({ source, target, directory }: MirrorSettings): Promise<JavaProcess> {
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
  return JavaProcess.start('org.apache.kafka.connect.mirror.MirrorMaker', [path], { bundle: 'mirror' });
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
