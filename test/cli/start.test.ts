import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resolveConfig } from '../../src/cli/config/config.ts';
import { environmentName, KNOWN_NAMES } from '../../src/cli/config/settings.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { describeConfigsApi } from '../../src/wire/apis/32-describe-configs.ts';
import { RawClient, batch, produce } from '../gateway/harness.ts';
import { Run } from './milena.ts';

/** `milena start` of the built package: what it takes, what it refuses, and how it comes and goes. */

let directory: string;
let runs: Run[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'milena-start-'));
  runs = [];
});
afterEach(async () => {
  await Promise.all(runs.map((run) => run.ended('SIGKILL')));
  await rm(directory, { recursive: true });
});

async function file(...lines: string[]): Promise<string> {
  const path = join(directory, 'server.properties');
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

function start(args: readonly string[], environment: Record<string, string> = {}): Run {
  const run = Run.milenaWith({ environment }, 'start', ...args);
  runs.push(run);
  return run;
}

/** Free ports, and a place for the log. */
const usual = () => [
  'listeners=PLAINTEXT://127.0.0.1:0',
  'milena.http.listener=127.0.0.1:0',
  `log.dirs=${join(directory, 'data')}`,
];

interface Line {
  level: string;
  time: string;
  msg: string;
  component: string;
  node: number;
  kafka: { host: string; port: number };
  http: { host: string; port: number };
  [field: string]: unknown;
}

function linesOf({ stderr }: Run): Line[] {
  return stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

async function readyOf(run: Run): Promise<Line> {
  const [line] = await run.logged(/^\{.*"msg":"ready".*\}$/m);
  return JSON.parse(line) as Line;
}

describe('a node starts', () => {
  test('from a file, the environment over it, options over both; clients see it', async () => {
    const path = await file('node.id=7', 'num.partitions=2', 'message.max.bytes=2000', ...usual());
    const environment = { MILENA_NUM_PARTITIONS: '3', MILENA_MESSAGE_MAX_BYTES: '3000' };
    const run = start(['-c', path, '--set', 'message.max.bytes=4000'], environment);
    const { kafka, http, node } = await readyOf(run);
    expect(node).toBe(7);
    expect((await fetch(`http://${http.host}:${http.port}/readyz`)).status).toBe(200);
    const client = await RawClient.connect(kafka);
    const { topics, brokers } = await client.send(metadataApi, 12, { topics: [{ name: 'made' }] });
    expect(topics[0]?.partitions).toHaveLength(3);
    expect(brokers).toEqual([expect.objectContaining({ nodeId: 7, ...kafka })]);
    const resources = [{ resourceType: 4, resourceName: '7', configurationKeys: ['message.max.bytes'] }];
    const { results } = await client.send(describeConfigsApi, 4, { resources });
    expect(results[0]?.configs[0]).toMatchObject({ value: '4000', configSource: 4 });
    const topic = { name: 'made', id: '' };
    expect((await produce(client, topic, batch(['x'.repeat(3_500)]))).errorCode).toBe(0);
    expect((await produce(client, topic, batch(['x'.repeat(4_500)]))).errorCode).toBe(10);
    client.destroy();
    expect(await run.ended('SIGTERM')).toBe(0);
    expect([run.stdout, linesOf(run).map(({ msg }) => msg)]).toEqual([
      '',
      ['starting', 'data directory opened', 'ready', 'stopping', 'stopped'],
    ]);
  });

  test('what it tells clients to connect to, when it is told', async () => {
    const path = await file('advertised.listeners=PLAINTEXT://log.example:19092', ...usual());
    const { kafka } = await readyOf(start(['-c', path]));
    const client = await RawClient.connect(kafka);
    const { brokers } = await client.send(metadataApi, 12, { topics: [] });
    expect(brokers).toEqual([{ nodeId: 1, host: 'log.example', port: 19_092, rack: null }]);
    client.destroy();
  });

  test('a bound of its own closes the connection that exceeds it, and the log says so, once', async () => {
    const path = await file('socket.request.max.bytes=1000', ...usual());
    const run = start(['-c', path]);
    const { kafka } = await readyOf(run);
    for (let attempt = 0; attempt < 3; attempt++) {
      const client = await RawClient.connect(kafka);
      const answer = client.send(metadataApi, 12, { topics: [{ name: 'x'.repeat(2_000) }] });
      await expect(answer).rejects.toThrow('connection closed');
    }
    await run.ended('SIGTERM');
    const closes = linesOf(run).filter(({ msg }) => msg === 'connection closed');
    expect(closes).toEqual([
      expect.objectContaining({
        level: 'warn',
        component: 'gateway',
        reason: 'not_kafka',
        client: '/127.0.0.1',
        node: 1,
      }),
    ]);
  });

  test('while debugging each generation of a group is told; otherwise nothing of it', async () => {
    const path = await file('group.initial.rebalance.delay.ms=0', ...usual());
    for (const level of ['debug', 'info']) {
      const run = start(['-c', path, '--log-level', level]);
      const { kafka } = await readyOf(run);
      const client = new Kafka({ brokers: [`${kafka.host}:${kafka.port}`], logLevel: logLevel.NOTHING });
      // Its disconnect waits for the fetch it has begun.
      const consumer = client.consumer({ groupId: 'readers', maxWaitTimeInMs: 100 });
      const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
      await consumer.connect();
      await consumer.subscribe({ topic: 'read' });
      await consumer.run({ eachMessage: async () => {} });
      await joined;
      await consumer.disconnect();
      await run.ended('SIGTERM');
      const told = linesOf(run).filter(({ msg }) => msg === 'group rebalanced');
      const expected = { component: 'group', group: 'readers', generation: 1 };
      const generations = told.map(({ component, group, generation }) => ({ component, group, generation }));
      expect(generations.slice(0, 1)).toEqual(level === 'debug' ? [expected] : []);
      expect(run.stderr).not.toContain('assignment');
    }
  });

  test('after a crash it says what was recovered, and how long it took', async () => {
    const path = await file(...usual());
    const first = start(['-c', path]);
    const client = await RawClient.connect((await readyOf(first)).kafka);
    await client.send(metadataApi, 12, { topics: [{ name: 'kept' }] });
    expect((await produce(client, { name: 'kept', id: '' }, batch(['a', 'b']))).errorCode).toBe(0);
    await first.ended('SIGKILL');

    const second = start(['-c', path]);
    const again = await RawClient.connect((await readyOf(second)).kafka);
    expect((await produce(again, { name: 'kept', id: '' }, batch(['c']))).baseOffset).toBe(2);
    again.destroy();
    await second.ended('SIGTERM');
    const recovered = linesOf(second).filter(({ msg }) => msg === 'log recovered');
    expect(recovered).toContainEqual(
      expect.objectContaining({
        component: 'store',
        topic: 'kept',
        partition: 0,
        offset: 2,
        durationMs: expect.any(Number) as number,
      }),
    );
    expect(linesOf(second)).toContainEqual(
      expect.objectContaining({
        msg: 'data directory opened after a crash: logs are recovered',
        wasClean: false,
      }),
    );
  });

  test('settings of Kafka that do nothing here are named, one by one', async () => {
    const path = await file(
      'process.roles=broker,controller',
      'controller.listener.names=CONTROLLER',
      'num.network.threads=3',
      'log.flush.interval.ms=1000',
      'ssl.client.auth=NONE',
      'listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0',
      ...usual().slice(1),
    );
    const run = start(['-c', path]);
    await readyOf(run);
    const warned = linesOf(run).filter(({ level }) => level === 'warn');
    expect(warned.map(({ source, msg }) => [source, msg])).toEqual([
      [`${path}:3`, expect.stringContaining('num.network.threads=3: a node works on one thread')],
      [`${path}:4`, expect.stringContaining('log.flush.interval.ms=1000: milena.flush decides')],
      [`${path}:6`, expect.stringContaining('CONTROLLER://127.0.0.1:0 is not opened')],
    ]);
  });

  test('a second one on the same directory, and a port in use', async () => {
    const path = await file(...usual());
    const { kafka } = await readyOf(start(['-c', path]));
    const second = start(['-c', path]);
    expect(await second.ended()).toBe(1);
    expect(second.stderr).toContain('is in use by process');
    const third = start([
      '-c',
      path,
      '--data',
      join(directory, 'other'),
      '--listeners',
      `PLAINTEXT://127.0.0.1:${kafka.port}`,
    ]);
    expect(await third.ended()).toBe(1);
    expect(third.stderr).toContain(`error[PORT_IN_USE]: port ${kafka.port} is taken`);
    expect(third.stderr).toContain('choose another with --listeners');
  });
});

const NOT_KEPT =
  'of this nothing is kept to; see milena start --print-config for what is, of ssl. and sasl. too';

const ONE_AUTHORIZER = 'the one there is is org.apache.kafka.metadata.authorizer.StandardAuthorizer';

describe('what cannot be used', () => {
  test('all of it at once, each with its place, what was given and what would do', async () => {
    const path = await file(
      'num.partitons=3',
      'num.partitions=0',
      'listeners=SSL://:9092',
      'ssl.keystore.password=hunter2',
      'retention.ms=5',
      'num.partitions=4',
      'advertised.listeners=PLAINTEXT://0.0.0.0:9092',
      'default.replication.factor=3',
      'auto.create.topics.enable=maybe',
      'authorizer.class.name=com.example.Authorizer',
      'zookeeper.connect=localhost:2181',
    );
    const run = start(['-c', path, '--set', 'flush', '--flush', 'sometimes'], { MILENA_NUM_PARTITON: '3' });
    expect(await run.ended()).toBe(2);
    const [head, ...problems] = run.stderr.trim().split('\n  ');
    expect(head).toBe('error[CONFIG]: 15 settings cannot be used');
    expect(new Set(problems)).toEqual(
      new Set([
        `${path}:1: there is no setting num.partitons; did you mean num.partitions?`,
        `${path}:2: num.partitions=0: Value must be at least 1`,
        `${path}:3: listeners=SSL://:9092: ssl.keystore.type=JKS: only PEM is read here; ` +
          'openssl pkcs12 makes PEM of the others',
        `${path}:4: ssl.keystore.password=********: ${NOT_KEPT}`,
        `${path}:5: retention.ms is a setting of topics; for all topics of a node it is log.retention.ms`,
        `${path}:6: num.partitions is set a second time, first in line 2`,
        `${path}:7: advertised.listeners=PLAINTEXT://0.0.0.0:9092: clients cannot connect to "0.0.0.0": ` +
          'give a name or address they can reach',
        `${path}:8: default.replication.factor=3: there is one node, so records have one copy: only 1 can be kept`,
        `${path}:9: auto.create.topics.enable=maybe: Expected value to be either true or false`,
        `${path}:10: authorizer.class.name=com.example.Authorizer: ${ONE_AUTHORIZER}`,
        `${path}:11: there is no setting zookeeper.connect`,
        'MILENA_NUM_PARTITON: is no setting; did you mean MILENA_NUM_PARTITIONS?',
        '--set: "flush" is not KEY=VALUE',
        '--flush: milena.flush=sometimes: String must be one of: always, never',
        'default: log.dirs=: where to keep the log is for you to say (--data DIR)',
      ]),
    );
    expect(run.stderr).not.toContain('hunter2');
  });

  test.each([
    [['-c', 'nowhere.properties', '--data', 'x'], 'nowhere.properties: there is no such file'],
    [['--data', 'a,b'], '--data: log.dirs=a,b: one directory is used, not several'],
    [['--data', 'x', '--allow-origin', 'example.com'], 'takes origins such as https://app.example.com'],
    [['--data', 'x', '--http', 'yes'], '--http: milena.http.listener=yes: write host:port, or none'],
    [
      ['--data', 'x', '--listeners', 'A://:1,B://:2'],
      'what does A speak? Say it in listener.security.protocol.map',
    ],
    [['--data', 'x', '--listeners', 'PLAINTEXT://:65536'], 'write PLAINTEXT://host:port, port 0 to 65535'],
    [
      ['--data', 'x', '--set', 'socket.request.max.bytes=600000000'],
      'milena.unfinished.bytes.max=536870912: must be above socket.request.max.bytes (600000000)',
    ],
    [['--dta', 'x'], 'there is no option --dta'],
    [['-d', 'x'], 'there is no option -d'],
  ])('%j: exit 2', async (args, message) => {
    const run = start(args);
    expect(await run.ended()).toBe(2);
    expect(run.stderr).toContain(message);
  });
});

describe('--print-config', () => {
  test('each setting, its value and where it comes from', async () => {
    const path = await file('num.partitions=6', ...usual());
    const run = start(['-c', path, '--print-config', '--json', '--flush', 'never'], {
      MILENA_LOG_LEVEL: 'warn',
    });
    expect(await run.ended()).toBe(0);
    const { settings } = JSON.parse(run.stdout) as {
      settings: { key: string; value: string; source: string }[];
    };
    const of = (name: string) => settings.find(({ key }) => key === name);
    expect(of('num.partitions')).toEqual({ key: 'num.partitions', value: '6', source: `${path}:1` });
    expect(of('milena.log.level')).toMatchObject({ value: 'warn', source: 'MILENA_LOG_LEVEL' });
    expect(of('milena.flush')).toMatchObject({ value: 'never', source: '--flush' });
    expect(of('message.max.bytes')).toMatchObject({ value: '1048588', source: 'default' });

    const table = start(['-c', path, '--print-config']);
    expect(await table.ended()).toBe(0);
    expect(table.stdout.split('\n')).toContain(`num.partitions\t6\t${path}:1`);
  });
});

test('every setting has one name in the environment, and no two share it', () => {
  const names = KNOWN_NAMES.map(environmentName);
  expect(new Set(names).size).toBe(names.length);
  expect(environmentName('num.partitions')).toBe('MILENA_NUM_PARTITIONS');
  expect(environmentName('milena.flush')).toBe('MILENA_FLUSH');
});

test('a data directory is all it has to be told', () => {
  const given = [{ key: 'log.dirs', value: '/x', source: '--data' }];
  const { config, problems } = resolveConfig([{ given, problems: [] }]);
  expect([problems, config?.kafka, config?.http, config?.shutdownTimeoutMs]).toEqual([
    [],
    { host: '127.0.0.1', port: 9092 },
    { host: '127.0.0.1', port: 9094 },
    10_000,
  ]);
});

test('with no time to wait for clients it stops in order all the same', async () => {
  const path = await file('milena.shutdown.timeout.ms=0', ...usual());
  const run = start(['-c', path]);
  const { kafka } = await readyOf(run);
  const client = await RawClient.connect(kafka);
  expect(await run.ended('SIGTERM')).toBe(0);
  client.destroy();
  expect(linesOf(run).at(-1)).toMatchObject({ msg: 'stopped' });
});
