import { produceApi } from '../../../wire/apis/00-produce.ts';
import { fetchApi } from '../../../wire/apis/01-fetch.ts';
import { writeKafkaCleaner } from './cleaner.ts';
import type { Exposition, Labels } from './exposition.ts';
import { type Facts, type Observed, SHOWN_MAX, type TopicFacts } from './facts.ts';

/**
 * The names that dashboards for Kafka look for: JMX names in lower case, as Prometheus's JMX exporter is usually set up
 * to write them, and kafka_exporter's for groups. As in Kafka a topic's series stand beside one for all topics.
 */
export function writeKafkaNames(page: Exposition, observed: Observed, facts: Facts): void {
  writeTraffic(page, observed, facts);
  writeCluster(page, observed);
  writeLogs(page, facts);
  writeLag(page, facts);
  writeKafkaCleaner(page, observed);
}

function writeTraffic(page: Exposition, { gateway, meter }: Observed, { topics }: Facts): void {
  const { counters } = gateway;
  const name = (metric: string) => `kafka_server_brokertopicmetrics_${metric}_total`;
  const withAll = (all: number, valueOf: (facts: TopicFacts) => number): [number, Labels][] => [
    [all, {}],
    ...topics.map((facts): [number, Labels] => [valueOf(facts), { topic: facts.topic }]),
  ];
  const { records, bytes } = meter.total;
  page.counter(
    name('messagesin'),
    'Records from producers.',
    withAll(records, (facts) => facts.messagesIn),
  );
  page.counter(
    name('bytesin'),
    'Bytes of batches from producers.',
    withAll(bytes, (facts) => facts.bytesIn),
  );
  const fetched = withAll(counters.fetchedBytesTotal, (facts) => facts.bytesOut);
  page.counter(name('bytesout'), 'Bytes of batches to readers.', fetched);
  const requests = (key: number) => counters.requestsByApi.get(key) ?? 0;
  page.counter(name('totalproducerequests'), 'Produce requests.', requests(produceApi.key));
  page.counter(name('totalfetchrequests'), 'Fetch requests.', requests(fetchApi.key));
  page.counter(
    'kafka_network_requestmetrics_requests_total',
    'Requests by API.',
    Array.from(counters.requestsByApi, ([key, count]) => [
      count,
      { request: gateway.handler(key)?.api.name ?? key },
    ]),
  );
}

function writeCluster(page: Exposition, { gateway, image }: Observed): void {
  const partitions = image.topics().flatMap((topic) => topic.partitions);
  const leading = partitions.filter(({ leader }) => leader === gateway.config.nodeId).length;
  const offline = partitions.filter(({ leader }) => leader < 0).length;
  const under = partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length;
  const manager = 'kafka_server_replicamanager';
  page.gauge(`${manager}_partitioncount`, 'Partitions on this broker.', partitions.length);
  page.gauge(`${manager}_leadercount`, 'Partitions this broker leads.', leading);
  page.gauge(`${manager}_underreplicatedpartitions`, 'Partitions that lack in-sync replicas.', under);
  const controller = 'kafka_controller_kafkacontroller';
  page.gauge(`${controller}_activecontrollercount`, 'This broker is the controller.', 1);
  page.gauge(`${controller}_offlinepartitionscount`, 'Partitions without a leader.', offline);
  page.gauge(`${controller}_globaltopiccount`, 'Topics of the cluster.', image.topicCount);
  page.gauge(`${controller}_globalpartitioncount`, 'Partitions of the cluster.', partitions.length);
}

function writeLogs(page: Exposition, { partitions }: Facts): void {
  const shown = `open logs only, the ${SHOWN_MAX.partitions} largest.`;
  const each = (name: string, help: string, valueOf: (partition: Facts['partitions'][number]) => number) =>
    page.gauge(
      `kafka_log_log_${name}`,
      `${help}; ${shown}`,
      partitions.map((facts) => [valueOf(facts), { topic: facts.topic, partition: facts.partition }]),
    );
  each('size', 'Bytes of batches kept', ({ sizeBytes }) => sizeBytes);
  each('logstartoffset', 'Oldest offset kept', ({ logStartOffset }) => logStartOffset);
  each('logendoffset', 'Next offset to be written', ({ logEndOffset }) => logEndOffset);
}

function writeLag(page: Exposition, { groups }: Facts): void {
  const shown = `the ${SHOWN_MAX.groups} groups furthest behind, ${SHOWN_MAX.positions} partitions in all.`;
  const positions = groups
    .flatMap(({ groupId, positions: all }) => all.map((position) => ({ groupId, ...position })))
    .slice(0, SHOWN_MAX.positions);
  const labels = ({ groupId, topic, partition }: (typeof positions)[number]) => ({
    consumergroup: groupId,
    topic,
    partition,
  });
  page.gauge(
    'kafka_consumergroup_lag',
    `Records a group is behind; ${shown}`,
    positions.map((position) => [position.lag, labels(position)]),
  );
  page.gauge(
    'kafka_consumergroup_current_offset',
    `What a group has committed; ${shown}`,
    positions.map((position) => [position.committedOffset, labels(position)]),
  );
  page.gauge(
    'kafka_consumergroup_members',
    `Members of a group; ${shown}`,
    groups.map(({ groupId, members }) => [members, { consumergroup: groupId }]),
  );
}
