import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { MILENA } from '../support/broker-process.ts';

export const ROOT = join(import.meta.dirname, '../..');

/** Its `node` is the one the tests run on, whatever the shell would find. */
const ENVIRONMENT = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };

/** A process whose output is read as it comes. */
export class Run {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #exit: Promise<number | null>;

  private constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk) => (this.stdout += chunk));
    child.stderr?.on('data', (chunk) => (this.stderr += chunk));
    this.#exit = once(child, 'close').then(() => child.exitCode);
  }

  /** The built command line. */
  static milena(...args: string[]): Run {
    return new Run(spawn(process.execPath, [MILENA, ...args], { cwd: ROOT, env: ENVIRONMENT }));
  }

  /** A line as typed into a shell, from the folder of the repository. */
  static shell(line: string): Run {
    return new Run(spawn('sh', ['-c', `exec ${line}`], { cwd: ROOT, env: ENVIRONMENT }));
  }

  /** The first match in what was printed so far or will be. @throws with the output when it ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match !== null) return match;
      const more = this.child.stdout && once(this.child.stdout, 'data');
      const ended = await Promise.race([more, this.#exit.then(() => true)]);
      if (ended === true && !pattern.test(this.stdout)) {
        throw new Error(`${pattern} was not printed: ${this.stdout}${this.stderr}`);
      }
    }
  }

  /** The exit code, once it has ended by itself or by `signal`; null when the signal ended it. */
  ended(signal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null> {
    if (signal !== undefined) this.child.kill(signal);
    return this.#exit;
  }
}
