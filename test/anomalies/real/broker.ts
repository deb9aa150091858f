import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { MILENA } from '../../support/broker-process.ts';
import { freePort } from '../../support/free-port.ts';

/** Of a node whose groups and transactions do in a second what they usually do in ten. */
const SETTINGS = [
  'group.initial.rebalance.delay.ms=0',
  'group.consumer.min.heartbeat.interval.ms=50',
  'group.consumer.heartbeat.interval.ms=100',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms=200',
];

/** `milena start` in a process of its own, that is killed and started again on its directory and port. */
export class StartedNode {
  readonly port: number;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, directory: string) {
    this.port = port;
    const listeners = `PLAINTEXT://127.0.0.1:${port}`;
    const settings = SETTINGS.flatMap((setting) => ['--set', setting]);
    const where = ['--node-id', '1', '--data', directory, '--listeners', listeners, '--http', '127.0.0.1:0'];
    this.#args = ['start', ...where, '--flush', 'always', '--log-format', 'json', ...settings];
  }

  static async start(directory: string): Promise<StartedNode> {
    const node = new StartedNode(await freePort(), directory);
    await node.revive();
    return node;
  }

  /** Resolves when clients can connect. */
  async revive(): Promise<void> {
    const child = this.#spawn();
    let said = '';
    const ready = new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        if (isReady(line)) resolve();
        else said = line;
      });
      child.once('exit', (code) =>
        reject(new Error(`milena start exited with ${code} before it was ready: ${said}`)),
      );
    });
    await ready;
  }

  /** A life that is cut short, perhaps in the middle of its recovery. */
  async stillbirth(killAfterMs: number): Promise<void> {
    const child = this.#spawn();
    child.stderr.resume();
    const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    await once(child, 'exit');
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Asked to stop, and killed when it has not within so many milliseconds. */
  async stopOrKill(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), graceMs);
    await this.#end('SIGTERM');
    clearTimeout(timer);
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  #spawn() {
    const child = spawn(process.execPath, [MILENA, ...this.#args], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    return child;
  }
}

function isReady(line: string): boolean {
  return line.startsWith('{') && (JSON.parse(line) as { msg: string }).msg === 'ready';
}
