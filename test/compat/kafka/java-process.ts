import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type ClassPath, javaArguments } from './toolchain.ts';

const OUTPUT_TAIL_CHARS = 4_000;

/** One of Kafka's main classes that runs until it is stopped. */
export class JavaProcess {
  readonly #child: ChildProcess;
  #output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk) => (this.#output = `${this.#output}${chunk}`.slice(-OUTPUT_TAIL_CHARS)));
  }

  static start(mainClass: string, args: readonly string[], from: ClassPath): JavaProcess {
    const command = javaArguments(mainClass, args, from);
    return new JavaProcess(spawn('java', command, { stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** What it printed last; undefined as long as it runs. */
  get lastWords(): string | undefined {
    const isRunning = this.#child.exitCode === null && this.#child.signalCode === null;
    return isRunning ? undefined : this.#output;
  }

  /** Idempotent. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.lastWords !== undefined) return;
    const ended = once(this.#child, 'close');
    this.#child.kill(signal);
    await ended;
  }
}
