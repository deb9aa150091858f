import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestBroker, batch, produce } from '../gateway/harness.ts';
import { Run } from './milena.ts';

/** `milena doctor` of the built package: each thing that can be wrong, wrong once. */

interface Finding {
  check: string;
  status: string;
  found: string;
  fix?: string;
}

let directory: string;
let runs: Run[];
let servers: TestBroker[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'milena-doctor-'));
  runs = [];
  servers = [];
});
afterEach(async () => {
  await Promise.all(runs.map((run) => run.ended('SIGKILL')));
  for (const server of servers) await server.close();
  await rm(directory, { recursive: true });
});

const data = () => join(directory, 'data');
const FREE = ['--listeners', 'PLAINTEXT://127.0.0.1:0', '--http', '127.0.0.1:0'];

function doctor(...args: string[]): Run {
  const run = Run.milenaWith({}, 'doctor', ...args);
  runs.push(run);
  return run;
}

/** A machine that is busy or small is no fault of what is tested. */
function isOfThisMachine(check: string, found: string): boolean {
  return ['files', 'memory', 'heap', 'space'].includes(check) || found.includes('takes a write and a flush');
}

/** What is not as it should be; every such finding says what to do. */
async function complaints(
  ...args: string[]
): Promise<{ code: number | null; found: string[]; all: Finding[] }> {
  const run = doctor('--json', ...args);
  const code = await run.ended();
  const { findings, satisfied } = JSON.parse(run.stdout) as { findings: Finding[]; satisfied: boolean };
  const bad = findings.filter(
    ({ status, check, found }) => status !== 'ok' && !isOfThisMachine(check, found),
  );
  expect(bad.filter(({ fix }) => fix === undefined || fix === '')).toEqual([]);
  const failed = findings.some(({ status }) => status === 'fail');
  expect([satisfied, code]).toEqual([!failed, failed ? 6 : 0]);
  return {
    code,
    found: bad.map(({ check, status, found }) => `${status} ${check}: ${found}`),
    all: findings,
  };
}

async function stopped(): Promise<{ name: string; id: string }> {
  const server = await TestBroker.start({ directory: data() });
  const client = await server.client();
  const topic = await server.topic(client, { name: 'kept' });
  await produce(client, topic, batch(['one']));
  await produce(client, topic, batch(['two']));
  await server.close();
  return topic;
}

async function running(options: Parameters<typeof TestBroker.start>[0] = {}): Promise<TestBroker> {
  const server = await TestBroker.start(options);
  servers.push(server);
  return server;
}

describe('a node that may start', () => {
  test('on a directory that is not there, that is empty, and that was closed cleanly', async () => {
    expect(await complaints('--data', data(), ...FREE)).toMatchObject({ code: 0, found: [] });
    expect(await readdir(directory)).toEqual([]);
    await mkdir(data());
    expect(await complaints('--data', data(), ...FREE)).toMatchObject({ code: 0, found: [] });
    expect(await readdir(data())).toEqual([]);
    await rm(data(), { recursive: true });
    await stopped();
    const before = await readdir(data());
    const { found, all } = await complaints('--data', data(), '--deep', ...FREE);
    expect(found).toEqual([]);
    expect(all.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        'node',
        'kernels',
        'files',
        'memory',
        'clock',
        'data',
        'space',
        'owner',
        'lock',
        'logs',
        'format',
        'batches',
        'kafka',
        'http',
        'advertised',
      ]),
    );
    expect(await readdir(data())).toEqual(before);
  });

  test('for people: a line a check, what to do under it, and a verdict', async () => {
    const run = doctor('--data', data(), '--node-id', 'x', ...FREE);
    expect(await run.ended()).toBe(6);
    expect(run.stdout).toMatch(/^ok {4}node +v\d+/m);
    expect(run.stdout).toMatch(/^FAIL {2}config +--node-id: node\.id=x: Not a number of type INT\n {10,}\S/m);
    expect(run.stdout).toMatch(/\n\n1 to be mended\n$/);
  });
});

describe('a node that may not', () => {
  test('a port that is taken, by whom', async () => {
    const holder = createServer().listen({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as AddressInfo;
    const { found } = await complaints('--data', data(), ...FREE, '--http', `127.0.0.1:${port}`);
    holder.close();
    const by = process.platform === 'linux' ? ` by process ${process.pid} (` : '';
    expect(found).toEqual([expect.stringContaining(`fail http: 127.0.0.1, port ${port}: taken${by}`)]);
  });

  test('a directory of something else, a file, one of another node', async () => {
    await writeFile(join(directory, 'thesis.txt'), '');
    expect((await complaints('--data', directory, ...FREE)).found).toEqual([
      `fail data: ${directory} holds thesis.txt and no meta.properties`,
    ]);
    const file = join(directory, 'thesis.txt');
    expect((await complaints('--data', file, ...FREE)).found).toEqual([`fail data: ${file} is a file`]);
    await stopped();
    expect((await complaints('--data', data(), '--node-id', '2', ...FREE)).found).toEqual([
      'fail owner: it belongs to node 1, this is node 2',
    ]);
  });

  test('a directory that is in use, from the future, of a newer version, damaged', async () => {
    const server = await running({ directory: data() });
    expect((await complaints('--data', data(), ...FREE)).found).toEqual([
      `warn lock: process ${process.pid} runs on it`,
    ]);
    await server.close();
    servers = [];
    await rm(data(), { recursive: true });
    await stopped();

    await utimes(join(data(), 'meta.properties'), new Date(), new Date(Date.now() + 3_600_000));
    expect((await complaints('--data', data(), ...FREE)).found).toEqual([
      expect.stringMatching(/^fail clock: meta\.properties was changed at .*, which is still to come$/),
    ]);
    await utimes(join(data(), 'meta.properties'), new Date(), new Date());

    const log = join(data(), 'kept-0', `${'0'.repeat(20)}.log`);
    const whole = await readFile(log);
    await writeFile(log, whole.with(whole.length - 3, 0x55));
    expect((await complaints('--data', data(), ...FREE)).found).toEqual([]);
    const half = whole.length / 2;
    expect((await complaints('--data', data(), '--deep', ...FREE)).found).toEqual([
      `fail batches: ${log} cannot be read beyond byte ${half}: a checksum is wrong`,
    ]);
    await writeFile(log, whole);

    await rm(join(data(), 'kept-0', 'partition.metadata'));
    await rm(join(data(), '.kafka_cleanshutdown'));
    expect((await complaints('--data', data(), ...FREE)).found).toEqual([
      expect.stringMatching(/^warn logs: \d+, after a crash: the next start recovers them$/),
      'warn strays: kept-0 has no partition.metadata',
    ]);
    await writeFile(join(data(), 'milena.format'), 'version=99\n');
    expect((await complaints('--data', data(), ...FREE)).found).toContainEqual(
      expect.stringContaining('was written by a newer Milena (format 99'),
    );
  });

  test('a configuration: every fault and every setting without effect', async () => {
    const path = join(directory, 'server.properties');
    await writeFile(path, `log.dirs=${data()}\nnum.partitons=1\n`);
    expect((await complaints('-c', path)).found).toEqual([
      `fail config: ${path}:2: there is no setting num.partitons; did you mean num.partitions?`,
    ]);
    await writeFile(path, `log.dirs=${data()}\nnum.io.threads=8\nlisteners=PLAINTEXT://127.0.0.1:0\n`);
    await appendFile(path, 'milena.http.listener=none\n');
    expect((await complaints('-c', path)).found).toEqual([
      `warn config: ${path}:2: num.io.threads=8: a node works on one thread`,
    ]);
  });

  test.each([
    [
      'PLAINTEXT://127.0.0.1:9092',
      'PLAINTEXT://0.0.0.0:0',
      'fail advertised: 127.0.0.1:9092 is this machine alone, and the node listens for others',
    ],
    [
      'PLAINTEXT://192.0.2.7:9092',
      'PLAINTEXT://127.0.0.1:0',
      'fail advertised: 192.0.2.7:9092, but the node listens on 127.0.0.1 alone',
    ],
    [
      'PLAINTEXT://192.0.2.7:9092',
      'PLAINTEXT://0.0.0.0:0',
      'warn advertised: 192.0.2.7:9092 is 192.0.2.7, not of this machine',
    ],
    [
      'PLAINTEXT://none.invalid:9092',
      'PLAINTEXT://0.0.0.0:0',
      'fail advertised: none.invalid:9092: the name has no address here',
    ],
  ])('advertising %s while listening on %s', async (advertised, listeners, message) => {
    const options = ['--data', data(), '--http', 'none', '--listeners', listeners];
    expect((await complaints(...options, '--advertised-listeners', advertised)).found).toEqual([message]);
  });
});

describe('a broker that runs', () => {
  test('as clients see it', async () => {
    const server = await running();
    await server.topic(await server.client(), { name: 'one', partitions: 3 });
    const { port } = server.broker.kafka;
    const { found, all } = await complaints('--broker', `127.0.0.1:${port}`);
    expect(found).toEqual([]);
    expect(all.map(({ check, found: said }) => `${check}: ${said}`)).toEqual(
      expect.arrayContaining([
        'controller: node 1',
        `node 1: clients are told 127.0.0.1:${port}, and it answers there`,
        'leaders: all 3 partitions have one',
      ]),
    );
  });

  test('one that sends its clients elsewhere', async () => {
    const other = await running();
    const wrong = await running({ advertised: other.broker.kafka });
    const nowhere = await running({ advertised: { host: '127.0.0.1', port: 1 } });
    const nameless = await running({ advertised: { host: 'none.invalid', port: 9092 } });
    const told = async (server: TestBroker) =>
      (await complaints('--broker', `127.0.0.1:${server.broker.kafka.port}`)).found;
    expect(await told(wrong)).toEqual([expect.stringContaining('where another cluster answers')]);
    expect(await told(nowhere)).toEqual([
      expect.stringContaining('clients are told 127.0.0.1:1, and nobody answers'),
    ]);
    expect(await told(nameless)).toEqual([expect.stringContaining('a name without an address here')]);
  });

  test('none at all, and one that is not the file\u2019s', async () => {
    expect((await complaints('--broker', '127.0.0.1:1')).found).toEqual([
      'fail broker: 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
    ]);
    const server = await running();
    const address = `127.0.0.1:${server.broker.kafka.port}`;
    const { found } = await complaints('--broker', address, '--data', data(), '--node-id', '5', ...FREE);
    expect(found).toEqual(['fail config: node 5 of the file is not in that cluster']);
  });
});
