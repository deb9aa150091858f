/**
 * What a user's page or Worker does with the client, as source: it writes with every codec, and reads what it wrote in
 * each way there is. Each part of the client is loaded for it.
 */
export const USE = `
import { connect } from 'milena';

async function use(url, topic) {
  await using client = await connect(url, { retryForMs: 2_000 });
  const sent = [];
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    await using producer = client.producer({ compression });
    sent.push((await producer.send(topic, { key: 'k', value: 'hello '.repeat(100) })).offset);
  }
  const read = [];
  for await (const { offset } of client.read(topic, { live: false })) read.push(offset);
  const consumed = [];
  await using consumer = client.consumer({ group: topic, topics: topic });
  for await (const { offset } of consumer) if (consumed.push(offset) === sent.length) break;
  await using latest = await client.latest(topic);
  const { partitions } = await client.admin.topics.describe(topic);
  return { sent, read, consumed, latest: latest.size, partitions: partitions.length, status: client.status };
}
`;

/** What comes of it. */
export const USED = {
  sent: [0, 1, 2, 3, 4],
  read: [0, 1, 2, 3, 4],
  consumed: [0, 1, 2, 3, 4],
  latest: 1,
  partitions: 1,
  status: 'connected',
};
