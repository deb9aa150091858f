import { describe, expect, test } from 'vitest';
import { describeClientQuotas } from '../../src/metadata/client-quotas.ts';
import type { AlterClientQuotasResponse } from '../../src/wire/apis/49-alter-client-quotas.ts';
import { Cluster } from './cluster.ts';

type Entity = [type: string, name: string | null][];
type Op = [key: string, value: number | null];

const dataOf = (entity: Entity) => entity.map(([entityType, entityName]) => ({ entityType, entityName }));
const opsOf = (ops: Op[]) => ops.map(([key, value]) => ({ key, value: value ?? 0, remove: value === null }));

function alter(cluster: Cluster, entity: Entity, ops: Op[], validateOnly = false) {
  const entries = [{ entity: dataOf(entity), ops: opsOf(ops) }];
  return cluster.ask<AlterClientQuotasResponse>(49, { entries, validateOnly }).entries[0];
}

function found(cluster: Cluster, components: [type: string, how: number, match?: string][], strict = false) {
  const answer = describeClientQuotas(cluster.image, {
    components: components.map(([entityType, matchType, match = null]) => ({ entityType, matchType, match })),
    strict,
  });
  if (answer.errorCode !== 0) return [answer.errorCode, answer.errorMessage];
  return answer.entries?.map(({ entity, values }) => [
    entity.map(({ entityType, entityName }) => `${entityType}=${entityName}`).join(),
    Object.fromEntries(values.map(({ key, value }) => [key, value])),
  ]);
}

const EXACT = 0;
const DEFAULT = 1;
const SPECIFIED = 2;

test('quotas are set, changed, taken away, and stand in log and snapshot', () => {
  const cluster = new Cluster();
  expect(
    alter(
      cluster,
      [['user', 'alice']],
      [
        ['producer_byte_rate', 1024],
        ['request_percentage', 12.5],
      ],
    ),
  ).toEqual({
    errorCode: 0,
    errorMessage: null,
    entity: [{ entityType: 'user', entityName: 'alice' }],
  });
  alter(
    cluster,
    [
      ['client-id', 'app'],
      ['user', null],
    ],
    [['consumer_byte_rate', 1]],
  );
  alter(cluster, [['ip', '10.0.0.1']], [['connection_creation_rate', 5]]);
  alter(cluster, [['ip', '10.0.0.1']], [['connection_creation_rate', 7]]);
  alter(cluster, [['user', 'bob']], [['consumer_byte_rate', 3]]);
  alter(cluster, [['user', 'bob']], [['consumer_byte_rate', null]]);
  const all = [
    ['user=alice', { producer_byte_rate: 1024, request_percentage: 12.5 }],
    ['user=null,client-id=app', { consumer_byte_rate: 1 }],
    ['ip=10.0.0.1', { connection_creation_rate: 7 }],
  ];
  expect(found(cluster, [])).toEqual(all);
  expect(found(new Cluster({ log: cluster.log }), [])).toEqual(all);
  expect(found(new Cluster({ log: [...cluster.machine.snapshot()] }), [])).toEqual(all);
});

test('what says nothing new is no record, and what is only looked at neither', () => {
  const cluster = new Cluster();
  alter(cluster, [['user', 'alice']], [['producer_byte_rate', 1024]]);
  const before = cluster.log.length;
  alter(
    cluster,
    [['user', 'alice']],
    [
      ['producer_byte_rate', 1024],
      ['consumer_byte_rate', null],
    ],
  );
  alter(cluster, [['user', 'alice']], [['producer_byte_rate', 5]], true);
  expect(cluster.log.length).toBe(before);
});

test('one wrong change of an entity, and none of it is made', () => {
  const cluster = new Cluster();
  expect(
    alter(
      cluster,
      [['user', 'a']],
      [
        ['producer_byte_rate', 5],
        ['no.such', 1],
      ],
    )?.errorCode,
  ).toBe(42);
  expect(found(cluster, [])).toEqual([]);
});

/** In the words of Kafka's ClientQuotaControlManager. */
test.each<[what: string, entity: Entity, ops: Op[], message: string]>([
  ['nobody', [], [], 'Invalid empty client quota entity'],
  ['a kind there is not', [['group', 'g']], [], 'Unhandled client quota entity type: group'],
  ['no name', [['user', '']], [], 'Empty user not supported'],
  [
    'a user twice',
    [
      ['user', 'a'],
      ['user', 'b'],
    ],
    [],
    'duplicate entity entry user',
  ],
  [
    'an address and a user',
    [
      ['ip', '1.2.3.4'],
      ['user', 'a'],
    ],
    [],
    'IP entity should not be combined',
  ],
  ['no address', [['ip', 'nowhere']], [], 'nowhere is not a valid IP or resolvable host.'],
  ['an address of too many parts', [['ip', '1.2.3.4.5']], [], 'is not a valid IP'],
  ['a quota there is not', [['user', 'a']], [['bytes', 1]], 'Invalid configuration key bytes'],
  [
    'one of addresses for a user',
    [['user', 'a']],
    [['connection_creation_rate', 1]],
    'Invalid configuration key',
  ],
  ['one of users for an address', [['ip', null]], [['producer_byte_rate', 1]], 'Invalid configuration key'],
  ['nothing', [['user', 'a']], [['producer_byte_rate', 0]], 'must be greater than 0'],
  ['less', [['user', 'a']], [['request_percentage', -1]], 'must be greater than 0'],
  ['no number', [['user', 'a']], [['request_percentage', Number.NaN]], 'must be greater than 0'],
  ['part of a byte', [['user', 'a']], [['producer_byte_rate', 1.5]], 'cannot be a fractional value'],
  ['too many bytes', [['user', 'a']], [['producer_byte_rate', 1e19]], 'is too large for a LONG'],
  ['too many connections', [['ip', null]], [['connection_creation_rate', 2 ** 31]], 'is too large for a INT'],
  [
    'one quota twice',
    [['user', 'a']],
    [
      ['producer_byte_rate', 1],
      ['producer_byte_rate', 2],
    ],
    'Duplicate',
  ],
])('refuses %s', (_, entity, ops, message) => {
  const answer = alter(new Cluster(), entity, ops);
  expect(answer?.errorCode).toBe(42);
  expect(answer?.errorMessage).toContain(message);
});

describe('a filter', () => {
  const cluster = new Cluster();
  for (const entity of [
    [['user', 'a']],
    [
      ['user', 'a'],
      ['client-id', 'x'],
    ],
    [['user', null]],
    [['client-id', 'x']],
    [['ip', '1.2.3.4']],
  ] as Entity[])
    alter(
      cluster,
      entity,
      entity[0]?.[0] === 'ip' ? [['connection_creation_rate', 1]] : [['request_percentage', 1]],
    );
  const names = (components: Parameters<typeof found>[1], strict?: boolean) =>
    found(cluster, components, strict)?.map((entry) => (entry as [string])[0]);

  test.each<[Parameters<typeof found>[1], boolean, string[]]>([
    [[['user', EXACT, 'a']], false, ['user=a', 'user=a,client-id=x']],
    [[['user', EXACT, 'a']], true, ['user=a']],
    [[['user', DEFAULT]], false, ['user=null']],
    [[['user', SPECIFIED]], false, ['user=a', 'user=a,client-id=x', 'user=null']],
    [
      [
        ['user', SPECIFIED],
        ['client-id', EXACT, 'x'],
      ],
      true,
      ['user=a,client-id=x'],
    ],
    [[['ip', SPECIFIED]], false, ['ip=1.2.3.4']],
    [[], true, []],
    [[['client-id', EXACT, 'y']], false, []],
  ])('%j, strict: %s', (components, strict, expected) => {
    expect(names(components, strict)).toEqual(expected);
  });

  test.each<[Parameters<typeof found>[1], number, string]>([
    [[['', EXACT, 'a']], 42, 'Invalid empty entity type.'],
    [
      [
        ['user', EXACT, 'a'],
        ['user', DEFAULT],
      ],
      42,
      'cannot appear more than once',
    ],
    [[['group', EXACT, 'a']], 35, 'Unsupported entity type group'],
    [[['user', EXACT]], 42, 'set match string to null'],
    [[['user', DEFAULT, 'a']], 42, 'also specified a match string'],
    [[['user', SPECIFIED, 'a']], 42, 'also specified a match string'],
    [[['user', 9]], 42, 'Unknown match type 9'],
    [
      [
        ['user', DEFAULT],
        ['ip', DEFAULT],
      ],
      42,
      'IP filter component should not be used',
    ],
  ])('that is none: %j', (components, code, message) => {
    expect(found(cluster, components)).toEqual([code, expect.stringContaining(message)]);
  });
});
