import type { ArgsDef } from 'citty';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from '../command.ts';
import { usage } from '../options.ts';
import { deploy } from './deploy.ts';
import { kafkaUrl, selfTest } from './self-test.ts';
import { ticketFor } from './token.ts';
import { findWrangler } from './wrangler.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Beside the commands in the package. */
const WORKER = '../lib/cloudflare.js';

const args = {
  name: {
    type: 'string',
    default: 'milena',
    valueHint: 'NAME',
    description: 'Of the Worker, and of the cluster',
  },
  bucket: {
    type: 'string',
    valueHint: 'NAME',
    description: 'Of R2, for closed segments; NAME-segments unless given',
  },
  'no-bucket': { type: 'boolean', description: 'Without R2: an object holds 10 GB, and nothing is moved' },
  settings: { type: 'string', valueHint: 'FILE', description: 'Broker settings, as in server.properties' },
  jurisdiction: {
    type: 'string',
    valueHint: 'eu',
    description: 'Where objects stay: eu, us, fedramp. Another one is another cluster',
  },
  location: {
    type: 'string',
    valueHint: 'weur',
    description: 'Where objects are made if there is room: weur, eeur, wnam, enam, apac, …',
  },
  folder: {
    type: 'string',
    default: '.milena/cloudflare',
    valueHint: 'DIR',
    description: 'Where configuration and secret are kept',
  },
  days: { type: 'string', default: '30', valueHint: 'N', description: 'How long the printed token is good' },
} satisfies ArgsDef;

/** `milena deploy cloudflare` */
export const cloudflare = command({
  name: 'deploy cloudflare',
  description: 'Deploy a cluster of Durable Objects to your account, and try it',
  args,
  async run({ args: given, report }) {
    const { name, folder } = given;
    if (!/^[a-z][a-z\d-]{0,53}$/.test(name))
      throw usage('--name takes small letters, digits and dashes, 54 at most');
    const days = Number(given.days);
    if (!(days >= 1 && days <= 3_650)) throw usage('--days takes 1 to 3650');
    const bucket = given['no-bucket'] ? undefined : (given.bucket ?? `${name}-segments`);
    const settings = given.settings === undefined ? '' : readFileSync(given.settings, 'utf8');
    const worker = fileURLToPath(new URL(WORKER, import.meta.url));
    const { url, secret } = await deploy(
      { name, bucket, settings, vars: placementOf(given), folder: resolve(folder), worker },
      {
        wrangler: findWrangler(process.cwd()),
        confirm: (question) => report.confirm(question),
        note: (text) => report.note(text),
      },
    );
    const token = ticketFor(secret, { principal: 'User:owner', expiresAtMs: Date.now() + days * DAY_MS });
    report.note('self-test: a record is written and read');
    const tookMs = await selfTest(url, token);
    const kafka = kafkaUrl(url);
    report.facts({ url, kafka, token, selfTestMs: Math.round(tookMs) }, [
      ['URL', url],
      ['Kafka', kafka],
      ['token', token],
      ['self-test', `written in ${Math.round(tookMs)} ms, and read`],
      ['try', `milena topics ls --broker '${kafka}?ticket=${token}'`],
    ]);
  },
});

const JURISDICTIONS = ['eu', 'us', 'fedramp'];
const LOCATIONS = 'wnam enam sam weur eeur apac apac-ne apac-se oc afr me'.split(' ');

function placementOf(given: {
  jurisdiction?: string | undefined;
  location?: string | undefined;
}): Record<string, string> {
  const { jurisdiction, location } = given;
  if (jurisdiction !== undefined && !JURISDICTIONS.includes(jurisdiction))
    throw usage(`--jurisdiction is one of ${JURISDICTIONS.join(', ')}`);
  if (location !== undefined && !LOCATIONS.includes(location))
    throw usage(`--location is one of ${LOCATIONS.join(', ')}`);
  return {
    ...(jurisdiction !== undefined && { MILENA_JURISDICTION: jurisdiction }),
    ...(location !== undefined && { MILENA_LOCATION_HINT: location }),
  };
}
