import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { backoffMs, pause } from '../retry.ts';
import type { ClientTracing } from '../tracing/client-tracing.ts';
import { InvalidRecord } from '../topics/invalid-record.ts';
import { deadLetterOf, type OnInvalid, type SendRaw, settleInvalid } from '../topics/on-invalid.ts';
import { invalidIn, nameOf } from '../topics/topic.ts';
import type { ConsumedRecord } from './consumed-record.ts';
import { Lanes, type Task, type Turn } from './lanes.ts';
import type { OwnedPartition } from './owned-partition.ts';
import type { Handler, RunSettings } from './run-options.ts';
import type { Share, TakenBatch, Taker } from './share.ts';
import { Supplies } from './supplies.ts';

export interface RunnerParts<K, V> {
  share: Share<K, V>;
  clock: Clock;
  random: Random;
  /** Instead of what a topic says. */
  onInvalid: OnInvalid | undefined;
  send: SendRaw;
  tracing?: ClientTracing | undefined;
  groupId?: string | undefined;
  /** Nothing more can be taken, or a record has failed for good; once. */
  failed: (error: unknown) => void;
}

/** Records of a partition that wait for others, beyond which nobody looks for one of it that does not. */
const WAITING_MAX = 1_000;

/** Works on many records at once, in the order they ask for. */
export class Runner<K, V> implements Taker {
  readonly keepsPaused = true;
  readonly #parts: RunnerParts<K, V>;
  readonly #handler: Handler<K, V>;
  readonly #settings: RunSettings;
  readonly #concurrency: number;
  readonly #lanes: Lanes<K, V>;
  readonly #supplies: Supplies<K, V>;
  #inFlight = 0;
  #isOver = false;
  /** Of whoever waits until what was taken is handed out. */
  #bell: PromiseWithResolvers<void> | undefined;

  constructor(parts: RunnerParts<K, V>, handler: Handler<K, V>, settings: RunSettings) {
    this.#parts = parts;
    this.#handler = handler;
    this.#settings = settings;
    this.#concurrency = settings.concurrency;
    this.#lanes = new Lanes(settings.order);
    this.#supplies = new Supplies((owner) => !owner.isPaused && this.#lanes.waitingOf(owner) < WAITING_MAX);
  }

  /** Takes what comes, until the signal says so. What is begun by then goes on. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!this.#isOver) {
        if (this.#supplies.isEmpty) this.#supply(await this.#parts.share.take(signal));
        else await (this.#bell = Promise.withResolvers()).promise;
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  drop(owner: OwnedPartition): void {
    this.#supplies.drop((other) => other !== owner);
    this.#drop((task) => task.owner !== owner);
  }

  finish(owner: OwnedPartition): void {
    this.#supplies.drop((other) => other !== owner);
    this.#drop((task) => {
      if (task.owner !== owner) return true;
      if (owner.isPaused || task.record.offset > owner.begunUpTo) return false;
      // What waits for its turn is waited for from now on.
      this.#begin(task);
      return true;
    });
  }

  lookAgain(): void {
    this.#lanes.lookAgain();
    this.#dispatch();
  }

  #supply(taken: TakenBatch<K, V>): void {
    this.#supplies.add(taken);
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#inFlight < this.#concurrency && !this.#isOver) {
      const next = this.#next();
      if (next === undefined) break;
      const working = this.#work(next.task);
      if (working === undefined) {
        next.over();
        continue;
      }
      this.#inFlight++;
      void working.then(() => {
        this.#inFlight--;
        next.over();
        this.#dispatch();
      });
    }
    if (this.#supplies.isEmpty) this.#ring();
  }

  /** What can be worked on now. What has to wait is put behind what it waits for. */
  #next(): Turn<K, V> | undefined {
    for (;;) {
      const next = this.#lanes.next();
      if (next !== undefined) return next;
      const task = this.#supplies.next();
      if (task === undefined) return undefined;
      this.#lanes.push(task);
    }
  }

  /** Undefined when it is over at once: what takes no time costs no promise. */
  #work(task: Task<K, V>): Promise<void> | undefined {
    const { tracing } = this.#parts;
    this.#begin(task);
    if (tracing !== undefined) return this.#attend(task);
    let attempt: Promise<unknown>;
    try {
      const outcome = task.deserializers.isPlain ? this.#handler(task.record) : this.#handle(task);
      if (!isPromise(outcome)) return this.#ended(task, true);
      attempt = outcome;
    } catch (error) {
      attempt = Promise.reject(error as Error);
    }
    return this.#attend(task, attempt);
  }

  /** @param first the first attempt, if it has begun. */
  async #attend(task: Task<K, V>, first?: Promise<unknown>): Promise<void> {
    const { tracing, groupId } = this.#parts;
    const attempts = () => this.#attempts(task, first);
    let isDone = false;
    try {
      await (tracing === undefined ? attempts() : tracing.process(task.record, groupId, attempts));
      isDone = true;
    } catch (error) {
      // Once it is lost, whoever has it works on it.
      if (!task.owner.signal.aborted) this.#fail(error);
    }
    this.#ended(task, isDone);
  }

  #begin(task: Task<K, V>): void {
    if (!task.isBegun) task.owner.begin(task.record.offset);
    task.isBegun = true;
  }

  #ended({ record, owner, settled }: Task<K, V>, isDone: boolean): undefined {
    if (isDone) record.ack();
    owner.end();
    settled();
  }

  async #attempts(task: Task<K, V>, first: Promise<unknown> | undefined): Promise<void> {
    const { clock, random } = this.#parts;
    const { retry } = this.#settings;
    const { record } = task;
    for (let failures = 0; ; failures++) {
      try {
        await (failures === 0 && first !== undefined ? first : this.#handle(task));
        return;
      } catch (error) {
        record.signal.throwIfAborted();
        if (failures >= retry || error instanceof InvalidRecord) return this.#giveUp(record, error);
        await pause(clock, backoffMs(failures, random), record.signal);
      }
    }
  }

  async #handle(task: Task<K, V>): Promise<void> {
    if (!(await this.#isInvalid(task))) await this.#handler(task.record);
  }

  /** @returns whether it is none that the handler can have, and is dealt with. */
  async #isInvalid({ record, deserializers }: Task<K, V>): Promise<boolean> {
    const found = deserializers.isPlain ? undefined : invalidIn(record);
    if (found === undefined) return false;
    const { send, onInvalid = deserializers.onInvalid } = this.#parts;
    await settleInvalid(found, onInvalid, send);
    return true;
  }

  async #giveUp(record: ConsumedRecord<K, V>, error: unknown): Promise<void> {
    const { deadLetter } = this.#settings;
    if (deadLetter === undefined) throw error;
    await this.#parts.send(nameOf(deadLetter), deadLetterOf(record, error));
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#stop();
    this.#parts.failed(error);
  }

  #stop(): void {
    this.#isOver = true;
    this.#supplies.drop(() => false);
    this.#drop(() => false);
  }

  #drop(isKept: (task: Task<K, V>) => boolean): void {
    this.#lanes.drop((task) => {
      if (isKept(task)) return true;
      if (task.isBegun) task.owner.end();
      return false;
    });
    this.#ring();
  }

  #ring(): void {
    this.#bell?.resolve();
    this.#bell = undefined;
  }
}

function isPromise(outcome: unknown): outcome is Promise<unknown> {
  return typeof outcome === 'object' && outcome !== null && 'then' in outcome;
}
