import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { SHOWN_MAX } from '../../src/hosts/node/metrics/facts.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { alterClientQuotasApi } from '../../src/wire/apis/49-alter-client-quotas.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { TestBroker, batch, fetchOne, produce, produceBody } from '../gateway/harness.ts';
import { until } from '../gateway/until.ts';
import { commitOffset } from './commit-offset.ts';
import { parseMetrics, valueOf } from './parse.ts';

/** What `/metrics` says after traffic of which we know every record. */

let server: TestBroker | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(directory?: string): Promise<TestBroker> {
  server = await TestBroker.start({ httpPort: 0, directory });
  return server;
}

async function look(path = '/metrics') {
  const response = await fetch(`http://127.0.0.1:${server?.broker.http?.port}${path}`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const families = parseMetrics(await response.text());
  return (name: string, labels?: Record<string, string>) => valueOf(families, name, labels);
}

describe('after known traffic', () => {
  test('records, bytes and offsets, in both dialects', async () => {
    const client = await (await start()).client();
    const topic = await server!.topic(client, { name: 'orders', partitions: 2 });
    const sizes = [batch(['a', 'b', 'c']).length, batch(['d']).length];
    await produce(client, topic, batch(['a', 'b', 'c']));
    await produce(client, topic, batch(['d']), { partition: 1 });
    const { records } = await fetchOne(client, { topic });
    const bytesIn = (sizes[0] ?? 0) + (sizes[1] ?? 0);

    const native = await look();
    expect(native('milena_records_appended_total')).toBe(4);
    expect(native('milena_topic_records_appended_total', { topic: 'orders' })).toBe(4);
    expect(native('milena_appended_bytes_total')).toBe(bytesIn);
    expect(native('milena_topic_fetched_bytes_total', { topic: 'orders' })).toBe(records?.length);
    expect(native('milena_log_end_offset', { topic: 'orders', partition: '0' })).toBe(3);
    expect(native('milena_high_watermark', { topic: 'orders', partition: '1' })).toBe(1);
    expect(native('milena_log_start_offset', { topic: 'orders', partition: '0' })).toBe(0);
    expect(native('milena_log_size_bytes', { topic: 'orders', partition: '0' })).toBe(sizes[0]);
    expect([native('milena_topics'), native('milena_partitions')]).toEqual([1, 2]);

    const kafka = await look('/metrics/kafka');
    const topicMetric = (name: string, labels?: Record<string, string>) =>
      kafka(`kafka_server_brokertopicmetrics_${name}_total`, labels);
    expect(topicMetric('messagesin')).toBe(4);
    expect(topicMetric('messagesin', { topic: 'orders' })).toBe(4);
    expect(topicMetric('bytesin', { topic: 'orders' })).toBe(bytesIn);
    expect(topicMetric('bytesout', { topic: 'orders' })).toBe(records?.length);
    expect(topicMetric('totalproducerequests')).toBe(2);
    expect(kafka('kafka_server_replicamanager_partitioncount')).toBe(2);
    expect(kafka('kafka_server_replicamanager_leadercount')).toBe(2);
    expect(kafka('kafka_server_replicamanager_underreplicatedpartitions')).toBe(0);
    expect(kafka('kafka_controller_kafkacontroller_activecontrollercount')).toBe(1);
    expect(kafka('kafka_controller_kafkacontroller_offlinepartitionscount')).toBe(0);
    expect(kafka('kafka_log_log_logendoffset', { topic: 'orders', partition: '0' })).toBe(3);
  });

  test('requests, how long they took and what went wrong, by API', async () => {
    const client = await (await start()).client();
    const topic = await server!.topic(client, { name: 'orders' });
    await produce(client, topic, batch(['a']));
    await produce(client, { name: 'nobody', id: '' }, batch(['a']));
    await client.send(
      produceApi,
      12,
      produceBody({ name: 'nobody', id: '' }, batch(['a']), { partition: 7 }),
    );
    client.post(produceApi, 12, produceBody(topic, batch(['b']), { acks: 0 }));
    await client.send(heartbeatApi, 4, { groupId: 'g', generationId: 1, memberId: 'm' });
    const native = await look();
    expect(native('milena_requests_total', { api: 'Produce' })).toBe(4);
    expect(native('milena_request_duration_seconds_count', { api: 'Produce' })).toBe(4);
    expect(
      native('milena_request_errors_total', { api: 'Produce', error: 'UNKNOWN_TOPIC_OR_PARTITION' }),
    ).toBe(2);
    expect(native('milena_request_duration_seconds_count', { api: 'Heartbeat' })).toBe(1);
    expect(native('milena_received_bytes_total')).toBeGreaterThan(400);
    expect(native('milena_sent_bytes_total')).toBeGreaterThan(200);
  });

  test('a fetch that waits counts with its wait', async () => {
    const client = await (await start()).client();
    const topic = await server!.topic(client);
    await fetchOne(client, { topic }, { maxWaitMs: 120 });
    const native = await look();
    expect(native('milena_request_duration_seconds_sum', { api: 'Fetch' })).toBeGreaterThan(0.1);
  });

  test('connections, and why they were closed', async () => {
    const client = await (await start()).client();
    const rude = await server!.client();
    rude.write('GET / HTTP/1.1\r\n\r\n');
    await rude.closed;
    client.write(Buffer.from('00000100' + '00'.repeat(100), 'hex'));
    await until('it has come', () => server?.broker.gateway.unfinishedBytes === 104);
    const native = await look();
    expect(native('milena_connections')).toBe(1);
    expect(native('milena_connections_accepted_total')).toBe(2);
    expect(native('milena_connections_closed_total', { reason: 'not_kafka' })).toBe(1);
    expect(native('milena_unfinished_bytes')).toBe(104);
  });

  test('a topic that is deleted is not told of any more; the totals stay', async () => {
    const client = await (await start()).client();
    const topic = await server!.topic(client, { name: 'short-lived' });
    await produce(client, topic, batch(['a', 'b']));
    await server!.deleteTopic(client, topic);
    const native = await look();
    expect(native('milena_records_appended_total')).toBe(2);
    expect(() => native('milena_topic_records_appended_total', { topic: 'short-lived' })).toThrow('not told');
  });

  test('the process and its event loop', async () => {
    await start();
    await look();
    await new Promise((resolve) => setTimeout(resolve, 60));
    const native = await look();
    expect(native('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(native('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(native('milena_event_loop_delay_seconds', { at: 'max' })).toBeGreaterThanOrEqual(0);
    expect(native('milena_event_loop_seconds_total', { state: 'busy' })).toBeGreaterThan(0);
  });
});

describe('quotas and transactions', () => {
  test('who was held up, how long, and by what', async () => {
    const client = await (await start()).client();
    const topic = await server!.topic(client);
    const entity = [{ entityType: 'client-id', entityName: 'raw' }];
    const ops = [{ key: 'producer_byte_rate', value: 1_000, remove: false }];
    await client.send(alterClientQuotasApi, 1, { entries: [{ entity, ops }], validateOnly: false });
    const body = produceBody(topic, batch([new Uint8Array(20_000)]));
    const { throttleTimeMs } = await client.send(produceApi, 12, body);
    expect(throttleTimeMs).toBeGreaterThan(10_000);
    const native = await look();
    expect(native('milena_quotas')).toBe(1);
    expect(native('milena_throttled_total', { quota: 'producer_byte_rate' })).toBe(1);
    expect(native('milena_throttle_seconds_total', { quota: 'producer_byte_rate' })).toBe(
      throttleTimeMs / 1_000,
    );
  });

  test('transactional ids by state', async () => {
    const client = await (await start()).client();
    const begin = (transactionalId: string) =>
      client.send(initProducerIdApi, 4, { transactionalId, transactionTimeoutMs: 60_000 });
    await client.send(findCoordinatorApi, 4, { keyType: 1, coordinatorKeys: ['one', 'two'] });
    expect([(await begin('one')).errorCode, (await begin('two')).errorCode]).toEqual([0, 0]);
    expect((await look())('milena_transactional_ids', { state: 'Empty' })).toBe(2);
  });
});

describe('groups', () => {
  test('lag, whatever a group is called', async () => {
    const client = await (await start()).client();
    const topic = await server!.topic(client, { name: 'orders' });
    await produce(client, topic, batch(['a', 'b', 'c', 'd', 'e']));
    const groupId = 'a "group"\nof \\ mine';
    await commitOffset(client, { groupId, topic, offset: 2 });
    const native = await look();
    expect(native('milena_group_lag', { group: groupId, topic: 'orders' })).toBe(3);
    const place = { group: groupId, topic: 'orders', partition: '0' };
    expect(native('milena_group_partition_lag', place)).toBe(3);
    expect(native('milena_group_committed_offset', place)).toBe(2);
    expect(native('milena_groups', { state: 'Empty' })).toBe(1);
    expect(native('milena_group_members', { group: groupId })).toBe(0);
    const kafka = await look('/metrics/kafka');
    const labels = { consumergroup: groupId, topic: 'orders', partition: '0' };
    expect(kafka('kafka_consumergroup_lag', labels)).toBe(3);
    expect(kafka('kafka_consumergroup_current_offset', labels)).toBe(2);
  });

  test('lag is known after a restart before any client comes', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'milena-metrics-'));
    const client = await (await start(directory)).client();
    const topic = await server!.topic(client, { name: 'orders' });
    await produce(client, topic, batch(['a', 'b', 'c']));
    await commitOffset(client, { groupId: 'billing', topic, offset: 1 });
    const before = await look();
    expect(before('milena_commit_rounds_total')).toBeGreaterThan(2);
    expect(before('milena_file_flush_duration_seconds_count')).toBeGreaterThan(2);
    expect(before('milena_commit_duration_seconds_count')).toBeGreaterThan(2);
    await server?.close();
    await start(directory);
    const native = await look();
    expect(native('milena_group_lag', { group: 'billing', topic: 'orders' })).toBe(2);
    await server?.close();
    server = undefined;
    await rm(directory, { recursive: true });
  });
});

test('what is shown is bounded, and how much is not shown is told', async () => {
  const client = await (await start()).client();
  const beyond = 50;
  const partitions = SHOWN_MAX.partitions + beyond;
  const topic = await server!.topic(client, { partitions });
  const partitionData = Array.from({ length: partitions }, (_, index) => ({ index, records: batch(['a']) }));
  const topicData = [{ name: topic.name, topicId: topic.id, partitionData }];
  await client.send(produceApi, 12, { acks: -1, timeoutMs: 20_000, topicData });
  const response = await fetch(`http://127.0.0.1:${server?.broker.http?.port}/metrics`);
  const families = parseMetrics(await response.text());
  expect(families.get('milena_log_end_offset')?.samples.length).toBe(SHOWN_MAX.partitions);
  // And the metadata log.
  expect(valueOf(families, 'milena_metrics_omitted', { of: 'partitions' })).toBe(beyond + 1);
  expect(valueOf(families, 'milena_records_appended_total')).toBe(partitions);
});
