import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { BrokerProcess, MILENA } from '../support/broker-process.ts';
import { report } from './harness.ts';

const LINE = `${'a line of a hundred bytes, more or less, as logs have them; '.repeat(2).slice(0, 99)}\n`;
/** Lines in one write. */
const CHUNK = LINE.repeat(1_000);
/** 400 MB: what grows with them would be seen. */
const LINES = 4_000_000;
const LOOK_EVERY_MS = 50;

/** Whether pipes are flat: the most memory the commands take for many lines. */
export async function run(): Promise<void> {
  const broker = await BrokerProcess.start(['--memory']);
  const of = (name: string) => `milena ${name}, ${LINES / 1e6} million lines, most memory`;
  try {
    const url = ['--url', broker.address];
    const produce = await peakOf(['produce', 'lines', '--raw', ...url], LINES);
    report({ bench: of('produce'), value: produce, unit: 'MB', bar: { atMost: 450 } });
    const consume = await peakOf(['consume', 'lines', '--raw', '--exit', ...url], 0);
    report({ bench: of('consume'), value: consume, unit: 'MB', bar: { atMost: 250 } });
  } finally {
    await broker.stop();
  }
}

/** In MB, as the kernel saw it (Linux). */
async function peakOf(args: readonly string[], lines: number): Promise<number> {
  const child = spawn(process.execPath, [MILENA, ...args], { stdio: ['pipe', 'ignore', 'inherit'] });
  let peak = 0;
  const look = setInterval(() => (peak = Math.max(peak, highWaterMb(child))), LOOK_EVERY_MS);
  const exited = once(child, 'exit');
  for (let sent = 0; sent < lines; sent += 1_000)
    if (!child.stdin.write(CHUNK)) await once(child.stdin, 'drain');
  child.stdin.end();
  const [code] = (await exited) as [number];
  clearInterval(look);
  if (code !== 0) throw new Error(`${args.join(' ')} exited with ${code}`);
  return peak;
}

function highWaterMb({ pid }: ChildProcess): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return Number(line?.[1] ?? 0) / 1_000;
  } catch {
    return 0;
  }
}
