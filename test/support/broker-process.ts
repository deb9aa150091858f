import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Interface, createInterface } from 'node:readline';
import { residentBytes } from './process-memory.ts';

/** The command line of the built package: what users run. */
export const MILENA = join(import.meta.dirname, '../../dist/bin/milena.js');

export interface Ready {
  readyMs: number;
  kafka: { host: string; port: number };
  http: { host: string; port: number };
  /** Kafka over WebSocket. */
  webSocket: string;
  data: string | null;
  pid: number;
}

/** The last words of a clean stop. */
export interface Stopped {
  topics: number;
  /** Group commits in its life: flushes, under `flush=always`. */
  commitRounds: number;
}

/** `milena dev --json` of the built package in a process of its own. */
export class BrokerProcess {
  readonly child: ChildProcess;
  readonly ready: Ready;
  /** From just before the spawn to the ready line, as whoever waits for it sees it. */
  readonly readyWallMs: number;

  readonly #lines: Interface;

  private constructor(child: ChildProcess, lines: Interface, ready: Ready, readyWallMs: number) {
    this.child = child;
    this.#lines = lines;
    this.ready = ready;
    this.readyWallMs = readyWallMs;
  }

  /**
   * @param args further arguments of `milena dev`; ports are free ones unless named.
   * @param onWarning gets the lines of its stderr, which otherwise go to ours.
   */
  static async start(args: readonly string[], onWarning?: (line: string) => void): Promise<BrokerProcess> {
    const startedAtMs = performance.now();
    const child = spawnBroker(args, onWarning);
    const lines = createInterface({ input: child.stdout });
    const ready = await Promise.race([
      once(lines, 'line').then(([line]) => JSON.parse(line as string) as Ready),
      once(child, 'exit').then(([code]) => {
        throw new Error(`milena dev exited with ${code} before it was ready`);
      }),
    ]);
    return new BrokerProcess(child, lines, ready, performance.now() - startedAtMs);
  }

  /** Starts one and kills it so many milliseconds later, ready or not. */
  static async startInVain(args: readonly string[], killAfterMs: number): Promise<void> {
    const child = spawnBroker(args, () => {});
    const exited = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    await exited;
    clearTimeout(timer);
  }

  get address(): string {
    return `${this.ready.kafka.host}:${this.ready.kafka.port}`;
  }

  /** Resident memory in bytes, as the kernel counts it (Linux). */
  residentBytes(): number {
    return residentBytes(this.child.pid);
  }

  /** Processor time it has taken so far, all threads (Linux, whose clock ticks a hundred times a second). */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'latin1');
    const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14);
    return (Number(user) + Number(system)) / 100;
  }

  /** Ends it and waits until it has gone. SIGKILL is a crash, SIGTERM a clean stop, which has last words. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<Stopped | undefined> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return undefined;
    let stopped: Stopped | undefined;
    this.#lines.on('line', (line) => {
      stopped = JSON.parse(line) as Stopped;
    });
    const exited = once(this.child, 'close');
    this.child.kill(signal);
    await exited;
    return stopped;
  }
}

function spawnBroker(args: readonly string[], onWarning?: (line: string) => void) {
  const ports = [...(args.includes('--port') ? [] : ['--port', '0']), '--http-port', '0'];
  const child = spawn(process.execPath, [MILENA, 'dev', '--json', ...ports, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (onWarning === undefined) child.stderr.pipe(process.stderr);
  else createInterface({ input: child.stderr }).on('line', onWarning);
  return child;
}
