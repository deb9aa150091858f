import type { ArgsDef } from 'citty';
import { nodeCodecs } from '../hosts/node/codecs.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { loadKernels } from '../kernels/load.ts';
import { records } from '../records/batch.ts';
import { BatchHeader, forEachBatch } from '../records/header.ts';
import { brokerArgs } from './broker.ts';
import { command } from './command.ts';
import { targetOf } from './contexts/target.ts';
import { integerIn, oneOf } from './options.ts';
import { lineOf } from './transfer/ndjson.ts';
import { type Output, ReaderGone } from './terminal/output.ts';
import type { Progress } from './terminal/progress.ts';
import { type BatchSource, boundOf, rangeOf } from './transfer/range.ts';
import { rawEnd, rawHead, rawPartition } from './transfer/raw-file.ts';
import { type OpenTopic, topicOfBroker, topicOfDirectory } from './transfer/topic-at.ts';

const args = {
  topic: { type: 'positional', required: true, description: 'Topic to read' },
  ...brokerArgs,
  data: {
    type: 'string',
    valueHint: 'DIR',
    description: 'Read the files of a node that does not run, instead',
  },
  format: {
    type: 'enum',
    options: ['ndjson', 'raw'],
    default: 'ndjson',
    description: 'ndjson: one record a line; raw: batches as they are stored',
  },
  partition: { type: 'string', valueHint: 'N', description: 'This partition only' },
  from: {
    type: 'string',
    valueHint: 'OFFSET|TIME',
    description: 'First to read: 1200, -90m, 2026-11-25T12:00Z',
  },
  to: {
    type: 'string',
    valueHint: 'OFFSET|TIME',
    description: 'Where to stop, itself not read; the end as it is now',
  },
} satisfies ArgsDef;

/** `milena export`: a topic to stdout. */
export const exportTopic = command({
  name: 'export',
  description: 'Write the records of a topic to stdout',
  args,
  completes: { topic: 'topic', data: 'file' },
  async run({ args: given, report }) {
    const format = oneOf('--format', given.format, ['ndjson', 'raw'] as const);
    const nowMs = Date.now();
    const range = { from: boundOf('--from', given.from, nowMs), to: boundOf('--to', given.to, nowMs) };
    const kernels = await loadKernels();
    const { topic, data } = given;
    const opened = await (data === undefined
      ? topicOfBroker(await targetOf(given), topic)
      : topicOfDirectory(data, topic, kernels));
    try {
      const wanted = partitionsOf(given.partition, opened);
      const output = report.output;
      const write = format === 'raw' ? rawWriter(output, topic) : lineWriter(output, topic, kernels);
      const progress = report.progress('exported');
      await write.begin();
      for (const partition of wanted) {
        const asked = await rangeOf(opened.source, partition, range);
        await exportPartition(opened.source, { partition, ...asked }, write, progress);
      }
      await write.end();
      await output.flush();
      progress.end();
    } catch (error) {
      if (!(error instanceof ReaderGone)) throw error;
    } finally {
      await opened.close();
    }
  },
});

function partitionsOf(text: string | undefined, { partitions }: OpenTopic): number[] {
  if (text === undefined) return Array.from({ length: partitions }, (_, partition) => partition);
  return [integerIn('--partition', text, 0, partitions - 1)];
}

interface Range {
  partition: number;
  fromOffset: number;
  endOffset: number;
}

interface Writer {
  begin(): Promise<void>;
  /** Whole batches that reach into the range. @returns how many records it wrote. */
  batches(bytes: Uint8Array, range: Range): Promise<number>;
  end(): Promise<void>;
}

async function exportPartition(
  source: BatchSource,
  range: Range,
  write: Writer,
  progress: Progress,
): Promise<void> {
  const { partition, fromOffset, endOffset } = range;
  for await (const bytes of source.batches(partition, fromOffset, endOffset))
    progress.add(await write.batches(bytes, range));
}

/** A batch that lies in the range only in part is written whole: its checksum covers all of it. */
function rawWriter(output: Output, topic: string): Writer {
  let count = 0;
  return {
    begin: () => output.write(rawHead(topic)),
    async batches(bytes, { partition, endOffset }) {
      const found: Uint8Array[] = [];
      let recordsCount = 0;
      forEachBatch(bytes, (batch) => {
        if (batch.baseOffset >= endOffset) return;
        found.push(batch.bytes);
        recordsCount += batch.recordsCount;
      });
      for (const batch of found) {
        await output.write(rawPartition(partition));
        await output.write(batch);
      }
      count += found.length;
      return recordsCount;
    },
    end: () => output.write(rawEnd(count)),
  };
}

/** Lines gathered before they are written. */
const TEXT_CHUNK_LENGTH = 64 * 1024;

function lineWriter(output: Output, topic: string, kernels: Kernels): Writer {
  const codecs = nodeCodecs(kernels);
  return {
    begin: async () => {},
    async batches(bytes, { partition, fromOffset, endOffset }) {
      const header = new BatchHeader(bytes);
      let written = 0;
      let text = '';
      for (let at = 0; at < bytes.length; at += header.seek(at).sizeBytes) {
        // What brokers write for themselves (ends of transactions) is no record of anybody's.
        if (header.seek(at).isControl) continue;
        for (const record of await records(header.bytes, kernels, codecs)) {
          if (record.offset < fromOffset || record.offset >= endOffset) continue;
          text += lineOf({ topic, partition }, record, { isAppendTime: header.isLogAppendTime });
          written++;
          if (text.length < TEXT_CHUNK_LENGTH) continue;
          await output.write(text);
          text = '';
        }
      }
      if (text !== '') await output.write(text);
      return written;
    },
    end: async () => {},
  };
}
