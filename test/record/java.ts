import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordedClient } from './clients.ts';
import { runTool } from './tools.ts';

/** Where `npm run test:compat` keeps the Kafka it has downloaded. */
const DOWNLOADED = join(import.meta.dirname, '../../node_modules/.cache/milena-compat');
const TOOLS = 'org.apache.kafka.tools';
const TOPIC = 'golden';
const GROUP = 'golden-group';

async function folder(): Promise<string | undefined> {
  const found = await readdir(DOWNLOADED).catch(() => []);
  return found.find((name) => name.startsWith('kafka-'));
}

/** Apache Kafka’s own clients, through its command line tools. */
export const java: RecordedClient = {
  missing: 'no Java Kafka here: `npm run test:compat` downloads it',

  version: async () => (await folder())?.replace('kafka-', ''),

  async talk(port) {
    const classes = join(DOWNLOADED, (await folder()) as string, 'jars', '*');
    const address = ['--bootstrap-server', `127.0.0.1:${port}`];
    const run = (name: string, args: readonly string[], input?: string) =>
      runTool('java', ['-XX:TieredStopAtLevel=1', '-cp', classes, name, ...address, ...args], input);
    const topic = ['--topic', TOPIC];
    const sized = ['--partitions', '1', '--replication-factor', '1', '--config', 'retention.ms=3600000000'];
    await run(`${TOOLS}.BrokerApiVersionsCommand`, []);
    await run(`${TOOLS}.TopicCommand`, ['--create', ...topic, ...sized]);
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      await run(`${TOOLS}.ConsoleProducer`, [...topic, '--compression-codec', codec], `${codec} `.repeat(50));
    }
    const all = ['--from-beginning', '--max-messages', '5', '--group', GROUP];
    await run(`${TOOLS}.consumer.ConsoleConsumer`, [...topic, ...all]);
    await run(`${TOOLS}.GetOffsetShell`, topic);
    await run(`${TOOLS}.consumer.group.ConsumerGroupCommand`, ['--describe', '--group', GROUP]);
    await run(`${TOOLS}.consumer.group.ConsumerGroupCommand`, ['--delete', '--group', GROUP]);
    await run('kafka.admin.ConfigCommand', ['--describe', '--entity-type', 'topics', '--entity-name', TOPIC]);
    await run(`${TOOLS}.TopicCommand`, ['--alter', ...topic, '--partitions', '2']);
    await run(`${TOOLS}.TopicCommand`, ['--describe', ...topic]);
    await run(`${TOOLS}.TopicCommand`, ['--delete', ...topic]);
  },
};
