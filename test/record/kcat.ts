import type { RecordedClient } from './clients.ts';
import { isMissing, runTool } from './tools.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const TOPIC = 'golden';

/** librdkafka as Debian’s kcat drives it: it makes topics by naming them. */
export const kcat: RecordedClient = {
  missing: 'no kcat on the PATH',

  async version() {
    if (await isMissing('kcat', ['-V'])) return undefined;
    return /librdkafka ([\d.]+)/.exec(await runTool('kcat', ['-V']))?.[1];
  },

  async talk(port) {
    const kcat = (args: readonly string[], input?: string) =>
      runTool('kcat', ['-b', `127.0.0.1:${port}`, '-X', 'client.id=golden', ...args], input);
    await kcat(['-L']);
    for (const codec of CODECS) {
      await kcat(
        ['-P', '-t', TOPIC, '-p', '0', '-z', codec, '-H', 'trace=é', '-K', ':'],
        `key:${codec} `.repeat(50),
      );
    }
    for (const acks of ['0', '1', '-1'])
      await kcat(['-P', '-t', TOPIC, '-X', `acks=${acks}`], `acks ${acks}\n`);
    await kcat(['-P', '-t', TOPIC, '-X', 'enable.idempotence=true'], 'idempotent\n');
    await kcat(['-L', '-t', TOPIC]);
    await kcat(['-Q', '-t', `${TOPIC}:0:-1`]);
    await kcat(['-C', '-t', TOPIC, '-p', '0', '-o', 'beginning', '-e']);
    await kcat(['-G', 'golden-group', '-c', '5', '-X', 'auto.offset.reset=earliest', TOPIC]);
  },
};
