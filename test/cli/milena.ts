import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MILENA } from '../support/broker-process.ts';

export const ROOT = join(import.meta.dirname, '../..');

/** Its `node` is the one the tests run on, whatever the shell would find; whose contexts are there does not matter. */
const ENVIRONMENT = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
  MILENA_CONTEXTS: join(tmpdir(), 'milena-has-no-contexts.json'),
  MILENA_URL: '',
  MILENA_CONTEXT: '',
};

/** Whether a terminal has colours, Node asks these too: `CI` says no. */
const {
  CI: _ci,
  FORCE_COLOR: _force,
  TEAMCITY_VERSION: _teamcity,
  ...SHELL
} = ENVIRONMENT as NodeJS.ProcessEnv;

/** A process whose output is read as it comes. */
export class Run {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #exit: Promise<number | null>;

  private constructor(child: ChildProcess) {
    this.child = child;
    // It may refuse, and end, before it has read.
    child.stdin?.on('error', () => {});
    child.stdout?.on('data', (chunk) => (this.stdout += chunk));
    child.stderr?.on('data', (chunk) => (this.stderr += chunk));
    this.#exit = once(child, 'close').then(() => child.exitCode);
  }

  /** The built command line. */
  static milena(...args: string[]): Run {
    return new Run(spawn(process.execPath, [MILENA, ...args], { cwd: ROOT, env: ENVIRONMENT }));
  }

  /** As {@link milena}, with more in its environment, and `input` as its stdin when given. */
  static milenaWith(
    { environment = {}, input }: { environment?: Record<string, string>; input?: string | Uint8Array },
    ...args: string[]
  ): Run {
    const env = { ...ENVIRONMENT, ...environment };
    const child = spawn(process.execPath, [MILENA, ...args], { cwd: ROOT, env });
    child.stdin.end(input);
    return new Run(child);
  }

  /** As {@link milena}, from another folder. */
  static milenaIn(cwd: string, environment: Record<string, string>, ...args: string[]): Run {
    const env = { ...ENVIRONMENT, ...environment };
    return new Run(
      spawn(process.execPath, [MILENA, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  }

  /** In a terminal of that width, which shows both of its streams and takes what is typed into its stdin. */
  static terminal(
    { columns = 80, environment = {} }: { columns?: number; environment?: Record<string, string> },
    ...args: string[]
  ): Run {
    const env = { ...SHELL, TERM: 'xterm-256color', NO_COLOR: '', ...environment };
    const line = [process.execPath, MILENA, ...args].map((word) => `'${word}'`).join(' ');
    const inside = `stty cols ${columns}; exec ${line}`;
    return new Run(spawn('script', ['-qec', inside, '/dev/null'], { cwd: ROOT, env }));
  }

  /** Any command, in a process group of its own. */
  static command(
    command: string,
    args: readonly string[],
    { cwd, env }: { cwd: string; env: Record<string, string> },
  ): Run {
    return new Run(spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true }));
  }

  /** A line as typed into a shell, from the folder of the repository. */
  static shell(line: string): Run {
    return new Run(spawn('sh', ['-c', `exec ${line}`], { cwd: ROOT, env: ENVIRONMENT }));
  }

  /** As {@link printed}, of stderr: where logs go. */
  logged(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#appears(pattern, 'stderr');
  }

  /** The first match in what was printed so far or will be. @throws with the output when it ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#appears(pattern, 'stdout');
  }

  async #appears(pattern: RegExp, where: 'stdout' | 'stderr'): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[where]);
      if (match !== null) return match;
      const stream = this.child[where];
      const more = stream && once(stream, 'data');
      const ended = await Promise.race([more, this.#exit.then(() => true)]);
      if (ended === true && !pattern.test(this[where])) {
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
