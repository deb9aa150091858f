import type { TestCase, TestModule } from 'vitest/node';
import { ROOT } from '../cli/milena.ts';
import { missingKafka } from './kafka/toolchain.ts';
import type { Check, Suite } from './suite.ts';

const TEST_TIMEOUT_MS = 120_000;

/** The client's own suite, against Apache Kafka instead of us. */
export const suite: Suite = {
  name: 'client',
  missing: missingKafka,
  async run(check) {
    const { startVitest } = await import('vitest/node');
    const reporter = { onTestCaseResult: (test: TestCase) => void tell(test, check) };
    const vitest = await startVitest('test', [], {
      root: ROOT,
      config: false,
      include: ['test/compat/client/*.suite.ts'],
      fileParallelism: false,
      testTimeout: TEST_TIMEOUT_MS,
      // kafkajs counts some waits below 0.
      execArgv: ['--disable-warning=TimeoutNegativeWarning'],
      watch: false,
      reporters: [reporter],
    });
    for (const module of vitest.state.getTestModules()) await tellFailure(module, check);
    await vitest.close();
  },
};

/** A test that did not run has failed: what is different with Kafka has a test that says so. */
function tell(test: TestCase, check: Check): Promise<boolean> {
  const { state, errors = [] } = test.result();
  return check(test.fullName, () => {
    if (state !== 'passed') throw new Error(errors.map(textOf).join('\n') || `it is ${state}`);
  });
}

async function tellFailure(module: TestModule, check: Check): Promise<void> {
  const errors = [...module.errors(), ...[...module.children.allSuites()].flatMap((one) => one.errors())];
  if (errors.length > 0)
    await check(module.relativeModuleId, () => Promise.reject(new Error(errors.map(textOf).join('\n'))));
}

function textOf({ message, stack, diff }: { message: string; stack?: string; diff?: string }): string {
  return [diff, stack ?? message].filter(Boolean).join('\n');
}
