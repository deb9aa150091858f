import { existsSync } from 'node:fs';
import { defineBrowserProvider } from '@vitest/browser';
import { type TestCase, createVitest } from 'vitest/node';
import { killRounds } from '../browser/kill-rounds.ts';
import { type BrowserProcess, type BrowserSpec, startBrowser } from '../browser/process.ts';
import { type Profile, newProfile } from '../browser/profile.ts';
import type { Check, Suite } from './suite.ts';

const FIREFOX = process.env['MILENA_FIREFOX'] ?? '/usr/bin/firefox-esr';

/** The IndexedDB store in a real Firefox: the tests of the other browsers, and SIGKILL under load. */
export const suite: Suite = {
  name: 'firefox',

  async missing(): Promise<string | undefined> {
    return existsSync(FIREFOX)
      ? undefined
      : 'no firefox-esr (Debian has it), and MILENA_FIREFOX names no other';
  },

  async run(check: Check): Promise<void> {
    for (const { fullName, failure } of await runTests())
      await check(fullName, () => {
        if (failure !== undefined) throw new Error(failure);
      });
    for (const durability of ['strict', 'relaxed'] as const)
      await check(`killed under load it keeps what was acknowledged, ${durability}`, () =>
        survives(durability),
      );
  },
};

/** Runs the browser tests of the store in Firefox. */
async function runTests(): Promise<{ fullName: string; failure: string | undefined }[]> {
  const results: { fullName: string; failure: string | undefined }[] = [];
  const profile = newProfile();
  const reporter = {
    onTestCaseResult(test: TestCase) {
      const { state, errors = [] } = test.result();
      const failure =
        state === 'passed'
          ? undefined
          : errors.map(({ message, stack }) => `${message}\n${stack}`).join('\n');
      results.push({ fullName: test.fullName, failure });
    },
  };
  const vitest = await createVitest(
    'test',
    { config: false, watch: false, reporters: [reporter], ...testOptions(profile) },
    { optimizeDeps: { include: ['idb', 'fast-check'] } },
  );
  try {
    await vitest.start();
    const unhandled = vitest.state.getUnhandledErrors();
    if (unhandled.length > 0) throw new AggregateError(unhandled, 'errors beside the tests');
  } finally {
    await vitest.close();
  }
  if (results.length === 0) throw new Error('Firefox ran no test');
  return results;
}

function testOptions(profile: Profile) {
  return {
    include: ['test/browser/indexed-db/*.test.ts'],
    exclude: ['**/chromium.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    provide: { backEnd: 'firefox' },
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      instances: [{ browser: 'firefox' as const }],
      provider: firefox(profile),
      // Vitest sets the size of the page through its provider; there is nothing to see in these tests.
      commands: { profileFiles: () => profile.files(), __vitest_viewport: () => {} },
    },
  };
}

/** Opens the page of the tests and nothing more: no driver is needed for it. */
function firefox(profile: Profile) {
  let browser: BrowserProcess | undefined;
  return defineBrowserProvider({
    name: 'firefox',
    options: {},
    providerFactory: () => ({
      name: 'firefox',
      supportsParallelism: false,
      getCommandsContext: () => ({}),
      async openPage(_: string, url: string) {
        await browser?.kill();
        browser = startBrowser(specOf(profile), url);
      },
      async close() {
        await browser?.kill();
        browser = undefined;
      },
    }),
  });
}

function specOf(profile: Profile): BrowserSpec {
  return { executablePath: FIREFOX, args: ['--headless', '--no-remote', '--profile', profile.path] };
}

async function survives(durability: 'strict' | 'relaxed'): Promise<void> {
  for (const { ackedEndOffset, found } of await killRounds(specOf(newProfile()), durability, [30, 50])) {
    if (found.problem !== undefined) throw new Error(found.problem);
    if (found.endOffset < ackedEndOffset)
      throw new Error(`acknowledged up to ${ackedEndOffset}, found up to ${found.endOffset}`);
  }
}
