import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { deploy, type DeployOptions } from '../../src/cli/deploy/deploy.ts';
import { kafkaUrl, selfTest } from '../../src/cli/deploy/self-test.ts';
import { ticketFor } from '../../src/cli/deploy/token.ts';
import { type Wrangler, WranglerFailed } from '../../src/cli/deploy/wrangler.ts';
import { CliError } from '../../src/cli/errors.ts';
import { ticketsOf } from '../../src/hosts/durable-object/tickets.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { EdgePlace } from '../edge/place.ts';

const folder = mkdtempSync(join(tmpdir(), 'milena-deploy-'));
let place: EdgePlace | undefined;
afterAll(async () => {
  await place?.stop();
  rmSync(folder, { recursive: true });
});

const WHOAMI = 'You are logged in with an OAuth Token, associated with the email ada@example.com.';

/** What Cloudflare's tool would say; what it deploys runs here, in workerd. */
class FakeWrangler implements Wrangler {
  readonly calls: string[] = [];
  readonly #answers: Readonly<Record<string, string | WranglerFailed>>;

  constructor(answers: Readonly<Record<string, string | WranglerFailed>> = {}) {
    this.#answers = answers;
  }

  async run(args: readonly string[]): Promise<string> {
    this.calls.push(args.join(' '));
    const answer = this.#answers[args[0] ?? ''] ?? (await this.#usual(args));
    if (answer instanceof WranglerFailed) throw answer;
    return answer;
  }

  async #usual(args: readonly string[]): Promise<string> {
    switch (args[0]) {
      case '--version':
        return '4.155.0';
      case 'whoami':
        return WHOAMI;
      case 'r2':
        throw new WranglerFailed(args, 'The bucket you tried to create already exists, and you own it.');
      case 'deploy': {
        const secrets = JSON.parse(readFileSync(args[4] ?? '', 'utf8')) as Record<string, string>;
        place ??= new EdgePlace({}, secrets);
        if (!place.isRunning) await place.start();
        return `Uploaded milena (2.31 sec)\nSee https://developers.example.com for news\n  http://${place.address}\n`;
      }
      default:
        throw new Error(`wrangler ${args.join(' ')} is not expected`);
    }
  }
}

const options = (over: Partial<DeployOptions> = {}): DeployOptions => ({
  name: 'orders',
  bucket: 'orders-segments',
  settings: 'auto.create.topics.enable=true',
  vars: {},
  folder: join(folder, 'kept'),
  worker: '/package/lib/cloudflare.js',
  ...over,
});

async function run(wrangler: Wrangler, over: Partial<DeployOptions> = {}) {
  const asked: string[] = [];
  const parts = { wrangler, confirm: async (question: string) => void asked.push(question), note: () => {} };
  return { asked, deployed: await deploy(options(over), parts) };
}

async function codeOf(running: Promise<unknown>): Promise<string | undefined> {
  const error = await running.catch((thrown: unknown) => thrown);
  return error instanceof CliError ? error.code : undefined;
}

describe('milena deploy cloudflare', () => {
  test(
    'asks, deploys, and a record is written and read with the token it prints',
    { timeout: 90_000 },
    async () => {
      const wrangler = new FakeWrangler();
      const { asked, deployed } = await run(wrangler);
      expect(asked).toEqual([
        'deploy Worker orders and bucket orders-segments of R2 to ada@example.com? Cloudflare may bill what they use',
      ]);
      expect(wrangler.calls.map((call) => call.split(' ')[0])).toEqual([
        '--version',
        'whoami',
        'r2',
        'deploy',
      ]);
      const token = ticketFor(deployed.secret, { principal: 'User:owner', expiresAtMs: Date.now() + 60_000 });
      expect(await ticketsOf(deployed.secret).verify(token)).toMatchObject({ principal: 'User:owner' });
      expect(await selfTest(deployed.url, token)).toBeGreaterThan(0);
      const client = await connect(`${kafkaUrl(deployed.url)}?ticket=${token}`);
      expect(await client.admin.topics.list()).toEqual([]);
      await client.close();
    },
  );

  test('keeps its secret for the next time, for its owner alone', async () => {
    const [first, second] = [await run(new FakeWrangler()), await run(new FakeWrangler())];
    expect(second.deployed.secret).toBe(first.deployed.secret);
    expect(statSync(join(folder, 'kept', 'secrets.json')).mode & 0o777).toBe(0o600);
    const config: unknown = JSON.parse(readFileSync(join(folder, 'kept', 'wrangler.json'), 'utf8'));
    expect(config).toMatchObject({
      name: 'orders',
      main: '/package/lib/cloudflare.js',
      r2_buckets: [{ binding: 'SEGMENTS', bucket_name: 'orders-segments' }],
      vars: { MILENA_CLUSTER: 'orders', MILENA_SETTINGS: 'auto.create.topics.enable=true' },
    });
    expect(JSON.stringify(config)).not.toContain(first.deployed.secret);
  });

  test('without a bucket makes none', async () => {
    const wrangler = new FakeWrangler();
    await run(wrangler, { bucket: undefined, folder: join(folder, 'kept') });
    expect(wrangler.calls.some((call) => call.startsWith('r2'))).toBe(false);
  });

  test.each([
    ['OLD_WRANGLER', { '--version': '3.90.0' }],
    ['NOT_LOGGED_IN', { whoami: 'You are not authenticated. Please run `wrangler login`.' }],
    [
      'WRANGLER',
      { r2: new WranglerFailed(['r2'], 'X [ERROR] Please enable R2 through the dashboard. [code: 10042]') },
    ],
    ['WRANGLER', { deploy: new WranglerFailed(['deploy'], 'X [ERROR] A request to the API failed.') }],
    ['NO_ADDRESS', { deploy: 'Uploaded milena\nNo targets deployed' }],
  ] as const)('says what is wrong: %s', async (code, answers) => {
    expect(await codeOf(run(new FakeWrangler(answers)))).toBe(code);
  });

  test('does nothing that was not granted', async () => {
    const wrangler = new FakeWrangler();
    const confirm = async () => {
      throw new CliError(1, 'NOT_CONFIRMED', 'not confirmed');
    };
    expect(await codeOf(deploy(options(), { wrangler, confirm, note: () => {} }))).toBe('NOT_CONFIRMED');
    expect(wrangler.calls).toEqual(['--version', 'whoami']);
  });
});
