import type { Offset } from '../../model/ids.ts';
import { MilenaError } from '../errors.ts';
import type { Position } from '../fetch/position.ts';
import { titleOf, type TopicPartition } from '../topic-partition.ts';
import { Acks } from './acks.ts';

const DONE = Promise.resolve();

/** A partition that is this consumer's, from the moment it is assigned until it is given up or lost. */
export class OwnedPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly title: string;
  acks = new Acks();
  /** What the group has; undefined when it has nothing. */
  committed: Offset | undefined;
  /** Where to begin instead of what the group says. */
  wanted: Position | undefined;
  /** Where it begins is known, and it is being read. */
  isRead = false;
  isPaused = false;
  /** Nothing of it is handed out any more. */
  isOver = false;
  /** The last of its records, by offset, that somebody has begun to work on. */
  begunUpTo: Offset = -1;
  /** Records that somebody works on. */
  #inWork = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  readonly #life = new AbortController();

  constructor({ topic, partition }: TopicPartition, wanted?: Position) {
    this.topic = topic;
    this.partition = partition;
    this.title = titleOf({ topic, partition });
    this.wanted = wanted;
  }

  /** Aborts when it is not this consumer's any more. */
  get signal(): AbortSignal {
    return this.#life.signal;
  }

  /** Resolves when nobody works on it, or need not any more. */
  get idle(): Promise<void> {
    if (this.#inWork === 0 || this.signal.aborted) return DONE;
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  begin(offset: Offset): void {
    this.#inWork++;
    this.begunUpTo = Math.max(this.begunUpTo, offset);
  }

  end(): void {
    if (--this.#inWork === 0) this.#idle?.resolve();
  }

  /** Work on it is in vain from now on. @param why for people. */
  lose(why: string): void {
    this.isOver = true;
    this.#idle?.resolve();
    this.#life.abort(
      new MilenaError(`${this.title}: ${why}`, {
        code: 'PARTITION_LOST',
        hint: 'stop what is done with its records: another consumer gets them, or has them already',
      }),
    );
  }
}
