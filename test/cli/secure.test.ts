import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AUTHORIZER, Secured } from '../security/secured.ts';
import { Run } from './milena.ts';

/** `milena users`, `milena acl`, and commands that have to say who they are. */

let secured: Secured;
let folder = '';
let config = '';
const SECRET = 'nobody may see: this';
/** As `milena export` writes a record. */
const LINE = '{"topic":"carried","partition":0,"timestamp":1,"key":null,"value":"one","headers":[]}\n';

beforeAll(async () => {
  secured = await Secured.start({
    settings: { 'authorizer.class.name': AUTHORIZER, 'super.users': 'User:ANONYMOUS' },
  });
  folder = await mkdtemp(join(tmpdir(), 'milena-secure-'));
  config = await file('alice.properties', SECRET);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await secured.close();
});

async function file(name: string, password: string): Promise<string> {
  const path = join(folder, name);
  const module = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  const jaas = `${module} required username="alice" password="${password}";`;
  const lines = [
    'security.protocol=SASL_PLAINTEXT',
    'sasl.mechanism=SCRAM-SHA-512',
    `sasl.jaas.config=${jaas}`,
  ];
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

async function run(words: readonly string[], { input = '', environment = {} } = {}) {
  const running = Run.milenaWith({ input, environment }, ...words);
  const code = await running.ended();
  return { code, stdout: running.stdout, stderr: running.stderr };
}

const root = (...words: string[]) => run([...words, '--url', `${secured.setup.host}:${secured.setup.port}`]);
const alice = (...words: string[]) => run([...words, '--url', secured.address, '--client-config', config]);

test('users are added, listed, allowed, forbidden and removed', async () => {
  const url = ['--url', `${secured.setup.host}:${secured.setup.port}`];
  expect(await run(['users', 'set', 'alice', ...url], { input: `${SECRET}\n` })).toMatchObject({
    code: 0,
    stdout: '',
  });
  expect((await root('users', 'ls')).stdout).toBe('alice\tscram-sha-512\t8192\n');

  expect((await alice('topics', 'create', 'orders')).code).toBe(4);
  const allowed = await root(
    'acl',
    'allow',
    'alice',
    '-t',
    'ord',
    '--prefixed',
    '-o',
    'create,read,describe',
  );
  expect(allowed.stdout.trim().split('\n').toSorted()).toEqual([
    'User:alice\t*\tallow\tcreate\ttopic\tord…',
    'User:alice\t*\tallow\tdescribe\ttopic\tord…',
    'User:alice\t*\tallow\tread\ttopic\tord…',
  ]);
  expect((await alice('topics', 'create', 'orders')).code).toBe(0);
  expect((await alice('topics', 'ls')).stdout).toContain('orders');

  expect((await root('acl', 'deny', 'alice', '-t', 'orders', '-o', 'all')).code).toBe(0);
  expect((await alice('topics', 'ls')).stdout).toBe('');
  expect((await root('acl', 'rm', 'alice', '-t', 'orders', '--yes')).stdout).toContain('deny');
  expect((await alice('topics', 'ls')).stdout).toContain('orders');

  expect((await root('users', 'rm', 'alice', '--yes')).code).toBe(0);
  const gone = await alice('topics', 'ls');
  expect([gone.code, gone.stderr]).toEqual([4, expect.stringContaining('error[SASL_AUTHENTICATION_FAILED]')]);
  expect(gone.stderr + gone.stdout).not.toContain(SECRET);
});

test('import and export say who they are, too', async () => {
  const url = ['--url', `${secured.setup.host}:${secured.setup.port}`];
  await run(['users', 'set', 'alice', ...url], { input: `${SECRET}\n` });
  await root('acl', 'allow', 'alice', '-t', 'carried', '-o', 'all');
  await root('topics', 'create', 'carried');
  const as = ['--url', secured.address, '--client-config', config];
  const imported = await run(['import', 'carried', ...as], { input: LINE });
  expect(imported).toMatchObject({ code: 0 });
  const exported = await alice('export', 'carried');
  expect([exported.code, exported.stdout]).toEqual([0, expect.stringContaining('"value":"one"')]);
  expect((await root('users', 'rm', 'alice', '--yes')).code).toBe(0);
});

test('a context keeps where the credentials are, and not what they are', async () => {
  const environment = { MILENA_CONTEXTS: join(folder, 'contexts.json') };
  const added = ['context', 'add', 'prod', secured.address, '--client-config', config, '--use'];
  expect((await run(added, { environment })).code).toBe(0);
  const shown = await run(['context', 'ls', '--json'], { environment });
  expect(shown.stdout).toContain('prod');
  const listed = await run(['topics', 'ls', '--verbose'], { environment });
  expect(listed.stderr).toContain('SASL_AUTHENTICATION_FAILED');
  expect(shown.stdout + shown.stderr + listed.stdout + listed.stderr).not.toContain(SECRET);
});

test.each([
  ['a name that is none', 'sasl.user=alice', 'sasl.user is not read here'],
  [
    'a mechanism that is none',
    'security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI',
    'sasl.mechanism is one of',
  ],
  ['nobody', 'security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN', 'say who you are'],
])('a file with %s is refused', async (_, text, why) => {
  const path = join(folder, 'bad.properties');
  await writeFile(path, `${text}\nsasl.password=${SECRET}\n`);
  const { code, stderr } = await run(['topics', 'ls', '--url', secured.address, '--client-config', path]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(why)]);
  expect(stderr).not.toContain(SECRET);
});
