import { chromium } from 'playwright';
import { BACK_ENDS, CHROMIUM_FLAGS, type BackEnd, findChromium } from '../browser/chromium.ts';
import { newProfile } from '../browser/profile.ts';
import { servePages } from '../browser/serve.ts';
import { median, ratio, report, type Timings } from './harness.ts';

type Name = 'relaxed' | 'strict' | 'dexie' | 'rxdb';
const bulk = Number(process.env.BULK ?? 500),
  total = Number(process.env.TOTAL ?? 5000),
  rounds = Number(process.env.ROUNDS ?? 5);
export async function run(): Promise<void> {
  const server = await servePages(['idb', 'dexie', 'rxdb', 'rxdb/plugins/storage-dexie']);
  const executablePath = await findChromium();
  for (const backEnd of Object.keys(BACK_ENDS) as BackEnd[]) {
    const context = await chromium.launchPersistentContext(newProfile().path, {
      executablePath,
      headless: true,
      chromiumSandbox: false,
      args: [...CHROMIUM_FLAGS, ...BACK_ENDS[backEnd]],
    });
    const page = context.pages()[0] ?? (await context.newPage());
    page.on('console', (m) => console.log(m.text()));
    page.on('pageerror', (e) => console.log(e));
    await page.goto(server.url);
    const names: Name[] = ['relaxed', 'strict', 'dexie', 'rxdb'];
    const t: any = { relaxed: [], strict: [], dexie: [], rxdb: [] };
    for (let r = -1; r < rounds; r++)
      for (const n of names) {
        const s = await page.evaluate(
          async ([n, total, bulk]) =>
            (await import('/test/browser/indexed-db/contenders.ts' as any)).secondsFor(n, total, bulk),
          [n, total, bulk],
        );
        if (r >= 0) t[n].push(s as number);
      }
    console.log(
      backEnd,
      Object.fromEntries(names.map((n) => [n, Math.round(total / median(t[n]))])),
      'dexie',
      ratio(t, 'relaxed', 'dexie'),
      'rxdb',
      ratio(t, 'relaxed', 'rxdb'),
      'strict',
      ratio(t, 'strict', 'dexie'),
      ratio(t, 'strict', 'rxdb'),
    );
    await context.close();
  }
  await server.close();
}
await run();
