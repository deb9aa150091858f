import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { ROOT } from '../cli/milena.ts';
import { RawClient, batch, fetchOne, produce } from '../gateway/harness.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { dashboardExpressions } from '../metrics/expressions.ts';
import { commitOffset } from '../metrics/commit-offset.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import type { Suite } from './suite.ts';

const run = promisify(execFile);

const CACHE = join(ROOT, 'node_modules', '.cache', 'milena-compat', 'prometheus');
let promtool = '';

/** Prometheus's own check of both pages of a broker that has seen traffic, and of a page that it must refuse. */
export const suite: Suite = {
  name: 'promtool',

  async missing() {
    const found = await findPromtool();
    if (found === undefined)
      return 'no promtool on the PATH, and no Debian package prometheus to take it from';
    promtool = found;
    return undefined;
  },

  async run(check) {
    const broker = await BrokerProcess.start(['--memory']);
    try {
      await traffic(broker);
      const url = `http://${broker.ready.http.host}:${broker.ready.http.port}`;
      for (const path of ['/metrics', '/metrics/kafka']) {
        await check(`promtool check metrics finds nothing to say about ${path}`, async () => {
          const page = await (await fetch(url + path)).text();
          const { code, output } = await checkMetrics(page);
          const said = output.split('\n').filter((line) => line !== '' && !isKafkasName(line));
          if (said.length > 0 || (code !== 0 && output === '')) throw new Error(`exit ${code}: ${output}`);
        });
      }
      await check('promtool reads each expression of the dashboard', async () => {
        const { code, output } = await checkRules(dashboardExpressions().map(({ text }) => text));
        if (code !== 0) throw new Error(`exit ${code}: ${output}`);
        const bad = await checkRules(['sum(']);
        if (bad.code === 0) throw new Error('promtool took half an expression');
      });
      await check('and it does look: a page with a mistake is refused', async () => {
        const { code } = await checkMetrics('# HELP a b\n# TYPE a gauge\na{x="1} 1\n');
        if (code === 0) throw new Error('promtool took it');
      });
    } finally {
      await broker.stop();
    }
  },
};

/** Of every kind that the pages tell of: records both ways, errors, a group name that must be quoted, a close. */
async function traffic(broker: BrokerProcess): Promise<void> {
  const client = await RawClient.connect(broker.ready.kafka);
  const topic = { name: 'orders', id: '' };
  await client.send(metadataApi, 12, { topics: [{ name: topic.name }] });
  await produce(client, topic, batch(['a', 'b']));
  await fetchOne(client, { topic });
  await client.send(heartbeatApi, 4, { groupId: 'nobody', generationId: 1, memberId: 'm' });
  await commitOffset(client, { groupId: 'a "quoted"\ngroup', topic, offset: 1 });
  client.write('no Kafka at all');
  await client.closed;
}

async function checkMetrics(page: string): Promise<{ code: number; output: string }> {
  const child = spawn(promtool, ['check', 'metrics']);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdin.end(page);
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

/** Names that dashboards for Kafka look for are as they are. */
function isKafkasName(line: string): boolean {
  return /^kafka_\w+ (metric names should not contain abbreviated units|.* should not have "_count")/.test(
    line,
  );
}

/** As rules that record them: there is no other way to have an expression looked at. */
async function checkRules(expressions: readonly string[]): Promise<{ code: number; output: string }> {
  const rules = expressions.map((text, at) => ({
    record: `dashboard:${at}`,
    // Grafana fills these in.
    expr: text.replaceAll('$__rate_interval', '5m').replaceAll('$job', '.*'),
  }));
  const folder = await mkdtemp(join(tmpdir(), 'milena-rules-'));
  const file = join(folder, 'rules.yml');
  // YAML takes JSON.
  await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  try {
    const { stdout, stderr } = await run(promtool, ['check', 'rules', file]);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const {
      code = 1,
      stdout = '',
      stderr = '',
    } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: Number(code), output: stdout + stderr };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function findPromtool(): Promise<string | undefined> {
  const works = (command: string) =>
    run(command, ['--version']).then(
      () => true,
      () => false,
    );
  if (await works('promtool')) return 'promtool';
  const unpacked = join(CACHE, 'usr', 'bin', 'promtool');
  if (!(await exists(unpacked))) await unpackDebian().catch(() => undefined);
  return (await works(unpacked)) ? unpacked : undefined;
}

/** Takes the program out of the package: nothing is installed. Into a folder beside the final one first. */
async function unpackDebian(): Promise<void> {
  const draft = `${CACHE}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await run('apt-get', ['download', 'prometheus'], { cwd: draft });
  const [file = ''] = await readdir(draft);
  await run('dpkg-deb', ['--extract', file, '.'], { cwd: draft });
  await rm(CACHE, { recursive: true, force: true });
  await rename(draft, CACHE);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
