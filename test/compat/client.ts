import type { TestCase, TestModule } from 'vitest/node';
import { ROOT } from '../cli/milena.ts';
import { missingKafka } from './kafka/toolchain.ts';
import type { Check, Suite } from './suite.ts';

const TEST_TIMEOUT_MS = 120_000;

/** As vitest tells it. */
interface Failure {
  message: string;
  stack?: string;
  diff?: string;
}

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
    const modules = vitest.state.getTestModules();
    for (const module of modules) await tellEnd(module, check);
    await check('nothing fails beside the tests', () => {
      const errors = vitest.state.getUnhandledErrors() as Failure[];
      if (errors.length > 0) throw new Error(errors.map(textOf).join('\n'));
      if (modules.length === 0) throw new Error('there are none');
    });
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

/** What fails before a test begins, or behind the last, is no test's. */
function tellEnd(module: TestModule, check: Check): Promise<boolean> {
  const errors = [...module.errors(), ...[...module.children.allSuites()].flatMap((one) => one.errors())];
  return check(`${module.relativeModuleId} ran to its end`, () => {
    if (errors.length > 0) throw new Error(errors.map(textOf).join('\n'));
    if ([...module.children.allTests()].length === 0) throw new Error('it has no tests');
  });
}

function textOf({ message, stack, diff }: Failure): string {
  return [diff, stack ?? message].filter(Boolean).join('\n');
}
