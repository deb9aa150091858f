import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/hosts/node/connect.ts';
import { Broker } from '../../src/hosts/node/broker.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { RawClient } from '../gateway/raw-client.ts';
import { dashboardExpressions, dashboardText, expressionOf } from './expressions.ts';
import { type Family, parseMetrics } from './parse.ts';

/** Every expression of the Grafana dashboard against what `/metrics` of a broker says that has seen all there is. */

let broker: Broker;
let directory = '';
let families: Map<string, Family>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'milena-dashboard-'));
  const settings = new Map([
    ['group.initial.rebalance.delay.ms', '0'],
    ['offsets.topic.num.partitions', '1'],
    ['transaction.state.log.num.partitions', '1'],
    ['log.retention.ms', '-1'],
  ]);
  broker = await Broker.start({ directory, httpPort: 0, settings });
  await traffic();
  const url = `http://127.0.0.1:${broker.http?.port}/metrics`;
  // The first look begins to watch the event loop, which has to turn a while before there is something to tell.
  do families = parseMetrics(await (await fetch(url)).text());
  while (families.get('milena_event_loop_delay_seconds')?.samples.length === 0);
});
afterAll(async () => {
  await broker.close();
  await rm(directory, { recursive: true });
});

async function traffic(): Promise<void> {
  const { host, port } = broker.kafka;
  await using client = await connect(`kafka://${host}:${port}`, { clientId: 'busy' });
  await client.send('orders', { value: 'one' });
  for await (const _ of client.consumer({ group: 'readers', topics: ['orders'] })) break;
  await client.transaction('mover', async (tx) => void (await tx.send('orders', { value: 'two' })));
  await client.admin.quotas.set({ clientId: 'busy' }, { producer_byte_rate: 1 });
  await client.send('orders', { value: 'three' });
  const raw = await RawClient.connect(broker.kafka);
  await raw.send(heartbeatApi, 4, { groupId: 'nobody', generationId: 1, memberId: 'm' });
  raw.write('GET / HTTP/1.1\r\n\r\n');
  await raw.closed;
}

const ALL = dashboardExpressions();

/** What of an expression is not told: names, or labels of them. */
function untold({ series, by, legend }: ReturnType<typeof expressionOf>): string[] {
  const told = series.map(({ name, labels }) => {
    const family = families.get(name.replace(/_(bucket|sum|count)$/, '')) ?? families.get(name);
    const samples = family?.samples.filter((sample) => sample.name === name) ?? [];
    // Prometheus adds where it looked.
    const known = new Set(['job', 'instance', ...samples.flatMap((sample) => Object.keys(sample.labels))]);
    const missing = labels.filter((label) => !known.has(label));
    return { missing: samples.length === 0 ? [name] : missing.map((label) => `${name}{${label}}`), known };
  });
  const kept = [...by, ...Array.from(legend.matchAll(/\{\{(\w+)\}\}/g), ([, label = '']) => label)];
  const lost = kept.filter((label) => !told.every(({ known }) => known.has(label)));
  return [...told.flatMap(({ missing }) => missing), ...lost];
}

test.each(ALL.map((expression) => [expression.text, expression] as const))('%s', (_, expression) => {
  expect(expression.series.length).toBeGreaterThan(0);
  expect(untold(expression)).toEqual([]);
});

describe('the check', () => {
  test.each([
    ['a name there is not', 'rate(milena_no_such_total{job=~"$job"}[5m])', '', ['milena_no_such_total']],
    ['a label there is not', 'milena_connections{door="tcp"}', '', ['milena_connections{door}']],
    ['a sum by a label there is not', 'sum by (topic) (milena_connections{job="a"})', '', ['topic']],
    ['a legend of one', 'milena_connections{job="a"}', '{{topic}}', ['topic']],
    ['a histogram without buckets', 'milena_connections_bucket{job="a"}', '', ['milena_connections_bucket']],
  ])('finds %s', (_, text, legend, expected) => {
    expect(untold(expressionOf('', text, legend))).toEqual(expected);
  });

  test('and sees all of them', () => {
    const names = new Set(dashboardText().match(/\b(milena|process|nodejs)_[a-z_]+(?=\{)/g));
    const seen = new Set(ALL.flatMap(({ series }) => series.map(({ name }) => name)));
    expect([...names].filter((name) => !seen.has(name))).toEqual([]);
    expect(seen.size).toBeGreaterThan(30);
  });
});

test('panels have places of their own, and names', () => {
  const { panels } = JSON.parse(dashboardText()) as {
    panels: { id: number; title: string; gridPos: { x: number; y: number; w: number } }[];
  };
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size).toBe(panels.length);
  expect(panels.filter(({ title, gridPos: { x, w } }) => title === '' || x + w > 24)).toEqual([]);
});
