import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { javaArguments } from '../kafka/toolchain.ts';

const OUTPUT_TAIL_CHARS = 4_000;

export interface WordCountSettings {
  address: string;
  /** Of the compiled application. */
  classes: string;
  /** Of its stores. */
  stateDirectory: string;
  /** Beside its own, by Kafka's names. */
  settings?: Readonly<Record<string, string>>;
}

/** `WordCount.java` in a process of its own. */
export class WordCount {
  readonly #child: ChildProcess;
  readonly #said: string[] = [];
  #errors = '';
  #wake = Promise.withResolvers<void>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => this.#heard(line));
    child.stderr!.on('data', (chunk) => (this.#errors = `${this.#errors}${chunk}`.slice(-OUTPUT_TAIL_CHARS)));
    child.once('close', () => this.#heard('ENDED'));
  }

  static start({ address, classes, stateDirectory, settings = {} }: WordCountSettings): WordCount {
    const all: Readonly<Record<string, string>> = {
      'application.id': 'word-count',
      'bootstrap.servers': address,
      'state.dir': stateDirectory,
      'processing.guarantee': 'exactly_once_v2',
      'num.stream.threads': '2',
      'commit.interval.ms': '100',
      // Each word is a record of its own, so that each shows whether it was counted once.
      'statestore.cache.max.bytes': '0',
      'repartition.purge.interval.ms': '500',
      'auto.offset.reset': 'earliest',
      'session.timeout.ms': '6000',
      'heartbeat.interval.ms': '500',
      ...settings,
    };
    const args = Object.entries(all).map((pair) => pair.join('='));
    const command = javaArguments('WordCount', args, { bundle: 'streams', classes });
    return new WordCount(spawn('java', command, { stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** Resolves once it works. @throws when it ends instead. */
  async running(): Promise<void> {
    await this.#until(() => this.#said.includes('STATE RUNNING'));
  }

  /** How many records of changelogs it has read to have its stores back. */
  get restored(): number {
    const restored = this.#said.filter((line) => line.startsWith('RESTORED '));
    return restored.reduce((sum, line) => sum + Number(line.split(' ')[2]), 0);
  }

  /** What it printed last. */
  get words(): string {
    return [...this.#said, this.#errors].join('\n').slice(-OUTPUT_TAIL_CHARS);
  }

  /** Closes it as an operator does. @throws when it did not close in order, or something was thrown in it. */
  async close(): Promise<void> {
    await this.kill('SIGTERM');
    const thrown = this.#said.find((line) => line.startsWith('THROWN'));
    if (thrown !== undefined || !this.#said.includes('CLOSED true'))
      throw new Error(`${thrown ?? 'it did not close'}:\n${this.words}`);
  }

  /** Idempotent. */
  async kill(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.kill(signal);
    await ended;
  }

  #heard(line: string): void {
    this.#said.push(line);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async #until(met: () => boolean): Promise<void> {
    while (!met()) {
      if (this.#said.includes('ENDED')) throw new Error(`it ended:\n${this.words}`);
      await this.#wake.promise;
    }
  }
}
