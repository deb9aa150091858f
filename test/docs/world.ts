import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeCertificate } from '../support/certificate.ts';
import { MILENA } from '../support/broker-process.ts';
import { ROOT, Run } from '../cli/milena.ts';
import { escaped, isAsShown, type Step } from './page.ts';
import { openPage, placed, placedAhead, type Ports, type Service, serviceOf } from './services.ts';

/** What is a user's own affair, or fetched, and so not run: it is enough that there is such a package or script. */
const NPM = /^npm (?<verb>install|run|test|pack|init)\b/;
/** Of ours, what is not the tests' own. */
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/VITEST|^NODE_|^TEST$/.test(entry[0]),
  ),
);
/** kafkajs logs JSON to stdout. */
const KAFKAJS_LOG = /^\{"level":.*\n/gm;

/** The folder in which a reader follows a page, with the package installed, and what runs there. */
export class World implements AsyncDisposable {
  readonly folder: string;
  /** Of this world, by those that the page names. */
  readonly #ports: Ports = new Map();
  readonly #services: Service[] = [];

  /** Whoever waits for it has given up. */
  readonly #signal: AbortSignal;

  private constructor(folder: string, signal: AbortSignal) {
    this.folder = folder;
    this.#signal = signal;
  }

  static async make(signal: AbortSignal): Promise<World> {
    await mkdir(join(ROOT, 'build'), { recursive: true });
    // Within the repository, so that other packages are found as well.
    const folder = await mkdtemp(join(ROOT, 'build', 'docs-'));
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    await mkdir(join(folder, 'node_modules', '.bin'), { recursive: true });
    await symlink(join(ROOT, 'dist'), join(folder, 'node_modules', 'milena'), 'junction');
    const command = `#!/bin/sh\nexec '${process.execPath}' '${MILENA}' "$@"\n`;
    await writeFile(join(folder, 'node_modules', '.bin', 'milena'), command, { mode: 0o755 });
    return new World(folder, signal);
  }

  /** Does what a page says, from top to bottom. @throws where it comes out otherwise. */
  async follow(steps: readonly Step[]): Promise<void> {
    if (steps.some(({ text }) => text.includes('server.pem'))) await this.#certify();
    for (const step of steps) {
      const { kind, at, name, output } = step;
      if (kind === 'program') await writeFile(join(this.folder, name), this.#here(step));
      if (kind === 'file')
        await writeFile(join(this.folder, name), await placedAhead(step.text, this.#ports));
      if (kind === 'program' && !isNamed(name, steps)) await this.#run(at, process.execPath, [name], output);
      if (kind === 'shell') await this.#shell(step);
    }
  }

  /** What a reader has been given by whoever signs certificates. */
  async #certify(): Promise<void> {
    const { key, cert } = makeCertificate('127.0.0.1');
    await writeFile(join(this.folder, 'server.pem'), `${key}${cert}`, { mode: 0o600 });
    await writeFile(join(this.folder, 'ca.pem'), cert);
  }

  /** Lines of a shell: what keeps running is started, pages are opened, all else runs to its end. */
  async #shell(step: Step): Promise<void> {
    const lines = step.text.split('\n').map((line) => line.replace(/^npx /, ''));
    let script = '';
    let site: string | undefined;
    for (const line of lines) {
      const start = serviceOf(line);
      if (start === undefined && NPM.test(line)) continue;
      if (start !== undefined) this.#serve(await start(this.folder, this.#ports, this.#environment));
      else if (line.startsWith('open ')) site = this.#here({ ...step, text: line.slice('open '.length) });
      else script += `${line}\n`;
    }
    const { at, output } = step;
    const commands = this.#here({ ...step, text: script }).trim();
    if (site !== undefined) await openPage(site, output ?? '', at);
    else if (commands !== '') await this.#run(at, 'bash', ['-euc', commands], output);
    else if (output !== undefined) throw new Error(`${at}: what it prints is not compared`);
  }

  #serve(service: Service): void {
    this.#services.push(service);
    for (const [named, port] of service.ports) this.#ports.set(named, port);
  }

  get #environment(): Record<string, string> {
    const bins = [join(this.folder, 'node_modules/.bin'), join(ROOT, 'node_modules/.bin')];
    const path = [dirname(process.execPath), ...bins, process.env['PATH'] ?? ''].join(':');
    const broker = this.#ports.get(9092);
    return {
      ...ENVIRONMENT,
      PATH: path,
      HOME: this.folder,
      XDG_CONFIG_HOME: this.folder,
      NO_COLOR: '1',
      KAFKAJS_NO_PARTITIONER_WARNING: '1',
      MILENA_URL: broker === undefined ? '' : `kafka://127.0.0.1:${broker}`,
      MILENA_CONTEXT: '',
    };
  }

  #here({ text, at }: Pick<Step, 'text' | 'at'>): string {
    try {
      return placed(text, this.#ports);
    } catch (cause) {
      throw new Error(`${at}: ${String(cause)}`, { cause });
    }
  }

  async #run(at: string, command: string, args: readonly string[], shown: string | undefined): Promise<void> {
    const { folder: cwd } = this;
    const run = Run.command(command, args, { cwd, env: this.#environment });
    const printed = () => run.stdout.replaceAll(KAFKAJS_LOG, '');
    this.#signal.addEventListener('abort', () => {
      if (!hasEnded(run))
        console.error(`${at}: it does not end, and printed was\n${run.stdout}${run.stderr}`);
      interrupt(run, 'SIGKILL');
    });
    if (shown?.trimEnd().endsWith('\n…')) {
      const wanted = shown.trimEnd().slice(0, -2);
      const ended = run.ended().then(() => true);
      while (!isAsShown(wanted, printed(), { isWhole: false })) {
        const more = once(run.child.stdout ?? run.child, 'data').then(() => false);
        if (await Promise.race([more, ended])) break;
      }
      interrupt(run, 'SIGINT');
      await run.ended();
      if (isAsShown(wanted, printed(), { isWhole: false })) return;
    } else {
      const code = await run.ended();
      if (code !== 0) throw new Error(`${at}: exit code ${code}\n${printed()}${run.stderr}`);
      if (shown === undefined || isAsShown(shown, printed(), { isWhole: true })) return;
    }
    throw new Error(`${at}: shown is\n${shown}\nprinted was\n${printed()}${run.stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.#services.toReversed()) await service.stop();
    await rm(this.folder, { recursive: true });
  }
}

/** As Ctrl-C does it: all that the command has started. */
function interrupt(run: Run, signal: 'SIGINT' | 'SIGKILL'): void {
  const { child } = run;
  if (child.pid !== undefined && !hasEnded(run)) process.kill(-child.pid, signal);
}

function hasEnded({ child }: Run): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Whether others run it: a command, an import, a page, a Worker's settings; vitest finds tests by their names. */
function isNamed(name: string, steps: readonly Step[]): boolean {
  if (name.endsWith('.test.ts')) return steps.some(({ text }) => /^npx vitest run/m.test(text));
  return steps.some(
    (step) => step.name !== name && new RegExp(`[\\s"'/]${escaped(name)}\\b`).test(step.text),
  );
}
