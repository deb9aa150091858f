import { type Page, chromium } from 'playwright';
import { BACK_ENDS, CHROMIUM_FLAGS, type BackEnd, findChromium } from '../browser/chromium.ts';
import { newProfile } from '../browser/profile.ts';
import { servePages } from '../browser/serve.ts';
import { type Timings, median, ratio, report } from './harness.ts';

/** Who stores events, as `test/browser/indexed-db/contenders.ts` names them, and how many a round: some are slow. */
const EVENTS = { relaxed: 20_000, strict: 20_000, dexie: 2_500, rxdb: 2_500 };
type Name = keyof typeof EVENTS;
const NAMES = Object.keys(EVENTS) as Name[];

/** Events of one call, which ends when they are durable as far as the contender says. */
const BULK = 500;
const ROUNDS = 15;

/** The peers write as Chromium does when it is not asked: relaxed. So the bars are for that. */
const BARS = { dexie: 12, rxdb: 20 };

export async function run(): Promise<void> {
  const server = await servePages(['idb', 'dexie', 'rxdb', 'rxdb/plugins/storage-dexie']);
  try {
    for (const backEnd of Object.keys(BACK_ENDS) as BackEnd[]) await benchBackEnd(backEnd, server.url);
  } finally {
    await server.close();
  }
}

/** Appends 100 B events in bulk, from objects to durable, in one page. */
async function benchBackEnd(backEnd: BackEnd, url: string): Promise<void> {
  const context = await chromium.launchPersistentContext(newProfile().path, {
    executablePath: await findChromium(),
    headless: true,
    chromiumSandbox: false,
    args: [...CHROMIUM_FLAGS, ...BACK_ENDS[backEnd]],
  });
  try {
    const page = await context.newPage();
    await page.goto(url);
    const timings = await interleavedRounds(page);
    for (const ours of ['relaxed', 'strict'] as const) {
      for (const peer of ['dexie', 'rxdb'] as const) {
        const figure = {
          bench: `IndexedDB append of ${BULK} events of 100 B, ${ours}, on ${backEnd}`,
          value: 1 / median(timings[ours]),
          unit: 'events/s',
          peer,
          ratio: ratio(timings, ours, peer),
        };
        report(ours === 'strict' ? figure : { ...figure, bar: { ratio: BARS[peer] } });
      }
    }
  } finally {
    await context.close();
  }
}

/** Seconds an event, a round each; the first round warms up. */
async function interleavedRounds(page: Page): Promise<Timings<Name>> {
  const timings: Timings<Name> = { relaxed: [], strict: [], dexie: [], rxdb: [] };
  for (let round = -1; round < ROUNDS; round++) {
    for (let turn = 0; turn < NAMES.length; turn++) {
      const name = NAMES[(turn + round + 1) % NAMES.length]!;
      const seconds = await secondsFor(page, name);
      if (round >= 0) timings[name].push(seconds / EVENTS[name]);
    }
  }
  return timings;
}

function secondsFor(page: Page, name: Name): Promise<number> {
  const module = '/test/browser/indexed-db/contenders.ts';
  return page.evaluate(
    async ([module, ...args]) => {
      const contenders = (await import(module)) as { secondsFor(...args: unknown[]): Promise<number> };
      return contenders.secondsFor(...args);
    },
    [module, name, EVENTS[name], BULK] as const,
  );
}
