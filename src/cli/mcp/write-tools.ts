import * as z from 'zod/v4';
import type { ProducerRecord } from '../../client/producer/record.ts';
import { mustHaveTopics } from '../broker.ts';
import { usage } from '../options.ts';
import { recordOf } from '../produce/record-line.ts';
import { makeTopic, PARTITIONS_MAX, REPLICAS_MAX } from '../topics/create.ts';
import { PARTITION_MAX } from '../transfer/ndjson.ts';
import { tool } from './tool.ts';

const RECORDS_MAX = 1000;

const record = z.strictObject({
  key: z.unknown().optional().describe('As value; none unless given. Records of one key keep their order'),
  value: z
    .unknown()
    .refine((value) => value !== undefined, 'is missing; null is a tombstone')
    .describe('Text is text, {"base64": "…"} is bytes, null is a tombstone, any other JSON is JSON'),
  headers: z
    .union([z.record(z.string(), z.unknown()), z.array(z.tuple([z.string(), z.unknown()]))])
    .optional()
    .describe('By name, or a list of [name, value]'),
  partition: z.int().min(0).max(PARTITION_MAX).optional().describe('By key unless given'),
  timestamp: z.int().min(0).optional().describe('Milliseconds since 1970; now unless given'),
});

const produceRecords = tool({
  name: 'produce_records',
  title: 'Write records',
  description:
    'Appends records to a topic that is there, and says where they are once they are kept. It cannot be undone',
  args: z.strictObject({
    topic: z.string().min(1).describe('Its name'),
    records: z.array(record).min(1).max(RECORDS_MAX),
  }),
  changes: 'overwrites',
  async run({ topic, records: given }, asked) {
    const records = given.map(recordIn);
    const { signal } = asked;
    const client = await asked.client();
    await mustHaveTopics(client.admin, [topic], signal);
    return { topic, records: await client.send(topic, records, { signal }) };
  },
});

/** @throws CliError */
function recordIn(given: object, at: number): ProducerRecord {
  try {
    return recordOf(JSON.stringify(given));
  } catch (error) {
    throw usage(`records.${at}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const createTopic = tool({
  name: 'create_topic',
  title: 'Create a topic',
  description: 'Makes a topic that is not there',
  args: z.strictObject({
    topic: z.string().min(1).describe('Its name'),
    partitions: z.int().min(1).max(PARTITIONS_MAX).optional().describe("The broker's default unless given"),
    replicas: z.int().min(1).max(REPLICAS_MAX).optional().describe("The broker's default unless given"),
    configs: z
      .record(z.string(), z.string())
      .default({})
      .describe('Settings by Kafka\'s names: {"cleanup.policy": "compact"}'),
  }),
  changes: 'adds',
  async run({ topic, partitions, replicas, configs }, { client, signal }) {
    const { topics } = (await client()).admin;
    return {
      topic: await makeTopic(topics, topic, { partitions, replicationFactor: replicas, configs, signal }),
    };
  },
});

/** Only where whoever starts the server allows it. */
export const WRITE_TOOLS = [produceRecords, createTopic];
