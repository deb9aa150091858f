import { ErrorCode } from '../../../model/errors.ts';
import type { Offset } from '../../../model/ids.ts';
import { offsetFetchApi } from '../../../wire/apis/09-offset-fetch.ts';
import { type Outcome, type Send, provenance } from '../anomalies/history.ts';
import { holds } from '../broken.ts';
import type { Client } from '../client.ts';
import { type World, answerOf } from '../world.ts';
import type { TxnLedger, TxnLog } from './ledger.ts';
import { TxnProducer, toldOf } from './producer.ts';
import { type CommittedPosition, CommittedReader, type Found } from './reader.ts';

export const TXN_GROUP = 'txn-group';
/** The first to say that a position may yet change, and the last to name one group and its topics. */
const STABLE = { least: 7, most: 7 };
const ATTEMPTS_MAX = 40;

export interface ProcessorParts {
  world: World;
  client: Client;
  ledger: TxnLedger;
}

/**
 * Makes one record of each it reads of a partition, and commits in the same transaction how far it is. There are two of
 * them a partition, with one transactional id: whoever begins fences the other.
 */
export class Processor {
  readonly #parts: ProcessorParts;
  readonly #log: TxnLog;
  readonly #producer: TxnProducer;
  readonly #reader: CommittedReader;
  #position: CommittedPosition | undefined;
  #made = 0;

  constructor(parts: ProcessorParts, log: TxnLog) {
    this.#parts = parts;
    this.#log = log;
    this.#producer = new TxnProducer(parts, `processor-${log.title}`);
    this.#reader = new CommittedReader(parts);
  }

  async run(): Promise<void> {
    const { world, client } = this.#parts;
    while (world.phase !== 'over') {
      await world.scheduler.sleep(client.random.between(150, 800));
      if (client.random.chance(0.05)) this.#forget();
      await this.step();
      // The other one has taken over: for a while that is right.
      if (this.#position === undefined) await world.scheduler.sleep(client.random.between(300, 2_500));
    }
  }

  /** One batch, if there is any. @returns whether it knows where it is, and that is the end of what is stable. */
  async step(): Promise<boolean> {
    if (this.#producer.identity === undefined) this.#position = undefined;
    this.#position ??= await this.#begin();
    const position = this.#position;
    if (position === undefined) return false;
    const found = await this.#reader.fetch(position);
    if (found.length > 0) await this.#process(position, found);
    const { isRead, offset, lastStableOffset, highWatermark } = position;
    return (
      position === this.#position &&
      isRead &&
      offset >= lastStableOffset &&
      lastStableOffset === highWatermark
    );
  }

  #forget(): void {
    this.#position = undefined;
    this.#producer.identity = undefined;
  }

  /** Where the group is once nobody else can move it. */
  async #begin(): Promise<CommittedPosition | undefined> {
    if (this.#producer.identity === undefined && !(await this.#producer.init())) return undefined;
    const known = this.#log.processedBelow;
    const committed = await this.#committed();
    if (committed === undefined) return undefined;
    holds(Math.max(committed, 0) >= known, 'I10', () => {
      return `${TXN_GROUP} is at ${committed} of ${this.#log.title}, ${known} was committed`;
    });
    return this.#reader.start(this.#log, Math.max(committed, 0));
  }

  async #committed(): Promise<Offset | undefined> {
    const { world, client } = this.#parts;
    const { topic, partition } = this.#log;
    const topics = [{ name: topic, partitionIndexes: [partition] }];
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const answer = await answerOf(
        client.request(offsetFetchApi, STABLE.least, { groupId: TXN_GROUP, topics, requireStable: true }),
      );
      const found = answer?.topics[0]?.partitions[0];
      const errorCode = answer?.errorCode === ErrorCode.NONE ? found?.errorCode : answer?.errorCode;
      const told = errorCode === undefined ? 'again' : toldOf(errorCode, `a position of ${TXN_GROUP}`);
      if (told === 'done') return found?.committedOffset;
      if (attempt % 4 === 0) await this.#producer.find(TXN_GROUP, 0);
      await world.scheduler.sleep(client.random.between(30, 250));
    }
    return undefined;
  }

  async #process({ offset }: CommittedPosition, found: readonly Found[]): Promise<void> {
    const { world, client, ledger } = this.#parts;
    const beganAtMs = world.scheduler.nowMs;
    const sends: Send[] = [];
    const outcome = await this.#transact(found, { offset, sends });
    if (outcome === 'fail') ledger.aborted(sends.map(({ value }) => value));
    if (outcome === 'ok') this.#log.processedBelow = Math.max(this.#log.processedBelow, offset);
    else this.#position = undefined;
    world.recorder.add({
      process: client.name,
      isTransaction: true,
      outcome,
      beganAtMs,
      steps: sends,
    });
  }

  async #transact(
    found: readonly Found[],
    { offset, sends }: { offset: Offset; sends: Send[] },
  ): Promise<Outcome> {
    const { client, ledger, world } = this.#parts;
    const byLog = Map.groupBy(found, (one) => ledger.outputs[one.offset % ledger.outputs.length] as TxnLog);
    let told = 'done';
    for (const [log, inputs] of byLog) {
      const values = inputs.map(() => `${client.name}.${++this.#made}`);
      const written = await this.#producer.write(log, values);
      for (const [index, input] of inputs.entries()) {
        const madeOf = provenance(this.#log.title, input.offset);
        const send: Send = { type: 'send', key: log.title, value: values[index] ?? '', madeOf };
        const { baseOffset } = written;
        sends.push(baseOffset === undefined ? send : { ...send, offset: baseOffset + index });
      }
      told = written.told;
      if (told !== 'done') break;
    }
    if (told === 'done') told = await this.#producer.commitOffset(TXN_GROUP, this.#log, offset);
    const isAborted = world.phase === 'wild' && client.random.chance(0.08);
    if (told !== 'done' || isAborted) {
      if (told !== 'fenced' && client.random.chance(0.7)) await this.#producer.end(false);
      else this.#producer.identity = undefined;
      return 'fail';
    }
    const ended = await this.#producer.end(true);
    if (ended.told === 'done') return 'ok';
    this.#producer.identity = undefined;
    return ended.told === 'again' || !ended.isSure ? 'info' : 'fail';
  }
}
