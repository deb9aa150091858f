import { spawnSync } from 'node:child_process';
import { BrokerProcess, MILENA } from '../support/broker-process.ts';
import { interleave, median, report, type Timings } from './harness.ts';

/** A process each: few rounds are enough. */
const ROUNDS = 15;

/** What a person waits for beyond Node's own start: the built command line, against a broker of its own. */
export async function run(): Promise<void> {
  const broker = await BrokerProcess.start(['--memory']);
  try {
    const milena = (...args: string[]) => runNode([MILENA, ...args], { MILENA_URL: broker.address });
    milena('topics', 'create', 'orders', 'payments');
    const timings = await interleave(
      {
        bare: () => runNode(['--eval', '0']),
        '--version': () => milena('--version'),
        'topics ls': () => milena('topics', 'ls'),
      },
      ROUNDS,
    );
    tell(timings, '--version', 60);
    tell(timings, 'topics ls', 150);
  } finally {
    await broker.stop();
  }
}

function runNode(args: readonly string[], environment: Record<string, string> = {}): void {
  const { status, stderr } = spawnSync(process.execPath, args, { env: { ...process.env, ...environment } });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${String(stderr)}`);
}

function tell<Name extends string>(timings: Timings<Name | 'bare'>, name: Name, atMost: number): void {
  const overBare = timings[name].map((seconds, round) => (seconds - (timings.bare[round] ?? 0)) * 1000);
  report({ bench: `milena ${name}, over bare node`, value: median(overBare), unit: 'ms', bar: { atMost } });
}
