import manifest from '../../../../package.json' with { type: 'json' };
import { errorInfo } from '../../../model/errors.ts';
import { TxnMachine } from '../../../txn/index.ts';
import { writeNativeCleaner } from './cleaner.ts';
import type { Exposition } from './exposition.ts';
import { type Facts, type GroupFacts, type Observed, SHOWN_MAX } from './facts.ts';

/** Milena's own names: `milena_*`, base units, no name both with and without labels. */
export function writeNative(page: Exposition, observed: Observed, facts: Facts): void {
  page.gauge('milena_build_info', 'Always 1; the labels tell what is running.', [
    [1, { version: manifest.version, node: process.versions.node }],
  ]);
  writeConnections(page, observed);
  writeRequests(page, observed);
  writeQuotas(page, observed);
  writeTopics(page, observed, facts);
  writeStore(page, observed);
  writeNativeCleaner(page, observed);
  writeTelemetry(page, observed);
  writeTransactions(page, observed);
  writePartitions(page, observed, facts);
  writeGroups(page, facts);
  writePositions(page, facts);
  const omitted = Object.entries(facts.omitted);
  page.gauge(
    'milena_metrics_omitted',
    'How many are not shown one by one, so that this page stays small.',
    omitted.map(([of, count]) => [count, { of }]),
  );
}

function writeConnections(page: Exposition, { gateway }: Observed): void {
  const { counters } = gateway;
  page.gauge('milena_connections', 'Client connections, through every door.', gateway.connectionCount);
  page.counter('milena_connections_accepted_total', 'Client connections accepted.', counters.connections);
  page.counter(
    'milena_connections_closed_total',
    'Connections the broker closed, and why; clients that just left are not counted.',
    Array.from(counters.closedByReason, ([reason, count]) => [count, { reason }]),
  );
  page.counter('milena_received_bytes_total', 'Bytes of the Kafka stream from clients.', counters.bytesIn);
  page.counter('milena_sent_bytes_total', 'Bytes of the Kafka stream to clients.', counters.bytesOut);
  page.gauge(
    'milena_unfinished_bytes',
    'Bytes held of requests whose end has not come.',
    gateway.unfinishedBytes,
  );
  page.gauge(
    'milena_unread_bytes',
    'Bytes of records held for clients that have not read them.',
    gateway.readCredit.heldBytes,
  );
  page.gauge('milena_fetch_sessions', 'Incremental fetch sessions (KIP-227).', gateway.fetchSessions.size);
  page.gauge('milena_parked_fetches', 'Fetches that stay at shards between requests.', gateway.parkedFetches);
}

function writeRequests(page: Exposition, { gateway }: Observed): void {
  const { requestsByApi, answeredByApi } = gateway.counters;
  page.counter(
    'milena_requests_total',
    'Requests begun.',
    Array.from(requestsByApi, ([key, count]) => [count, { api: gateway.handler(key)?.api.name ?? key }]),
  );
  const answered = [...answeredByApi.values()];
  page.counter(
    'milena_request_errors_total',
    "Error codes in answers, each partition's by itself.",
    answered.flatMap(({ api, errors }) =>
      Array.from(errors, ([code, count]) => [count, { api: api.name, error: errorInfo(code).name }] as const),
    ),
  );
  page.histogramMs(
    'milena_request_duration_seconds',
    'From arrival until the answer is handed to the socket; what a Fetch or a join waits is part of it.',
    answered.map(({ api, durationMs }) => [durationMs, { api: api.name }]),
  );
}

function writeTopics(page: Exposition, { meter, gateway }: Observed, { topics }: Facts): void {
  const { records, bytes } = meter.total;
  page.counter('milena_records_appended_total', 'Records taken from producers.', records);
  page.counter('milena_appended_bytes_total', 'Bytes of batches taken from producers.', bytes);
  page.counter(
    'milena_fetched_bytes_total',
    'Bytes of batches sent to readers.',
    gateway.counters.fetchedBytesTotal,
  );
  const shown = `the ${SHOWN_MAX.topics} busiest topics.`;
  page.counter(
    'milena_topic_records_appended_total',
    `Records taken from producers; ${shown}`,
    topics.map(({ topic, messagesIn }) => [messagesIn, { topic }]),
  );
  page.counter(
    'milena_topic_appended_bytes_total',
    `Bytes of batches taken from producers; ${shown}`,
    topics.map(({ topic, bytesIn }) => [bytesIn, { topic }]),
  );
  page.counter(
    'milena_topic_fetched_bytes_total',
    `Bytes of batches sent to readers; ${shown}`,
    topics.map(({ topic, bytesOut }) => [bytesOut, { topic }]),
  );
}

function writeStore(page: Exposition, { meter, opened }: Observed): void {
  page.counter(
    'milena_commit_rounds_total',
    'Group commits; with flush=always each flushed once.',
    opened.commitRounds(),
  );
  page.histogramMs(
    'milena_commit_duration_seconds',
    'From handing writes to the store until they are durable under its flush rule, once a shard and round.',
    [[meter.commitMs, {}]],
  );
  if (opened.flushMs !== undefined)
    page.histogramMs('milena_file_flush_duration_seconds', 'Flushes of single files.', [
      [opened.flushMs, {}],
    ]);
}

function writeQuotas(page: Exposition, { gateway, image }: Observed): void {
  const { throttled } = gateway.quotas;
  page.gauge('milena_quotas', 'Whom quotas are set for: users, client ids, addresses.', image.quotas.size);
  page.counter(
    'milena_throttled_total',
    'Requests whose client was held up, and connections, by the quota that held longest.',
    Array.from(throttled, ([quota, { count }]) => [count, { quota }]),
  );
  page.counter(
    'milena_throttle_seconds_total',
    'How long they were held up.',
    Array.from(throttled, ([quota, { totalMs }]) => [totalMs / 1_000, { quota }]),
  );
}

/** Of coordinators that are open: those that have anything to coordinate are, from the start. */
function writeTransactions(page: Exposition, { shards }: Observed): void {
  const states = new Map<string, number>();
  for (const { machine } of shards.all()) {
    if (!(machine instanceof TxnMachine)) continue;
    for (const state of machine.states()) states.set(state, (states.get(state) ?? 0) + 1);
  }
  page.gauge(
    'milena_transactional_ids',
    'Transactional ids by the state of their last transaction.',
    Array.from(states, ([state, count]) => [count, { state }]),
  );
}

/** Of clients that push theirs; without a receiver there is nothing to tell. */
function writeTelemetry(page: Exposition, { gateway: { telemetry }, telemetry: forwarder }: Observed): void {
  if (telemetry === undefined || forwarder === undefined) return;
  page.gauge('milena_client_telemetry_clients', 'Clients that asked what to push.', telemetry.clientCount);
  page.counter(
    'milena_client_telemetry_pushes_total',
    'Pushes of clients, by the error they were answered with.',
    Array.from(telemetry.pushes, ([code, count]) => [count, { error: errorInfo(code).name }]),
  );
  page.counter(
    'milena_client_telemetry_pushed_bytes_total',
    'Bytes of pushes that were taken, as they came.',
    telemetry.pushedBytes,
  );
  page.counter(
    'milena_client_telemetry_forwarded_total',
    'Pushes that the endpoint has taken.',
    forwarder.forwarded,
  );
  page.counter('milena_client_telemetry_dropped_total', 'Pushes that it has not.', forwarder.dropped);
}

function writePartitions(page: Exposition, { image, shards }: Observed, { partitions }: Facts): void {
  let count = 0;
  for (const topic of image.topics()) count += topic.partitions.length;
  page.gauge('milena_topics', 'Topics, internal ones included.', image.topicCount);
  page.gauge('milena_partitions', 'Partitions of all topics.', count);
  const states = Map.groupBy(shards.all(), ({ state }) => state);
  page.gauge(
    'milena_shards',
    'Logs that were asked for since the start, and how they are; others are closed.',
    Array.from(states, ([state, inIt]) => [inIt.length, { state }]),
  );
  const shown = `open logs only, the ${SHOWN_MAX.partitions} largest.`;
  const each = (name: string, help: string, valueOf: (partition: Facts['partitions'][number]) => number) =>
    page.gauge(
      name,
      `${help}; ${shown}`,
      partitions.map((facts) => [valueOf(facts), { topic: facts.topic, partition: facts.partition }]),
    );
  each('milena_log_start_offset', 'Oldest offset kept', ({ logStartOffset }) => logStartOffset);
  each('milena_log_end_offset', 'Next offset to be written', ({ logEndOffset }) => logEndOffset);
  each('milena_high_watermark', 'All below is committed', ({ highWatermark }) => highWatermark);
  each('milena_last_stable_offset', 'All below is decided', ({ lastStableOffset }) => lastStableOffset);
  each('milena_log_size_bytes', 'Bytes of batches kept', ({ sizeBytes }) => sizeBytes);
}

function writeGroups(page: Exposition, { groups, groupsByState }: Facts): void {
  page.gauge(
    'milena_groups',
    'Groups by state.',
    Array.from(groupsByState, ([state, count]) => [count, { state }]),
  );
  const shown = `the ${SHOWN_MAX.groups} groups furthest behind.`;
  page.gauge(
    'milena_group_members',
    `Members of a group; ${shown}`,
    groups.map(({ groupId, members }) => [members, { group: groupId }]),
  );
  page.gauge(
    'milena_group_lag',
    `Records between what a group has committed and the high watermark; ${shown}`,
    groups.flatMap((group) =>
      Array.from(lagByTopic(group), ([topic, lag]) => [lag, { group: group.groupId, topic }] as const),
    ),
  );
}

/** One by one. */
function writePositions(page: Exposition, { groups }: Facts): void {
  const positions = groups
    .flatMap(({ groupId: group, positions: all }) => all.map((position) => ({ group, ...position })))
    .toSorted((a, b) => b.lag - a.lag)
    .slice(0, SHOWN_MAX.positions);
  const shown = `the ${SHOWN_MAX.positions} furthest behind.`;
  const labels = ({ group, topic, partition }: (typeof positions)[number]) => ({ group, topic, partition });
  page.gauge(
    'milena_group_partition_lag',
    `Records between what a group has committed in a partition and the high watermark; ${shown}`,
    positions.map((position) => [position.lag, labels(position)]),
  );
  page.gauge(
    'milena_group_committed_offset',
    `What a group has committed in a partition; ${shown}`,
    positions.map((position) => [position.committedOffset, labels(position)]),
  );
}

function lagByTopic({ positions }: GroupFacts): Map<string, number> {
  const lags = new Map<string, number>();
  for (const { topic, lag } of positions) lags.set(topic, (lags.get(topic) ?? 0) + lag);
  return lags;
}
