import type { Outcome, Send } from '../anomalies/history.ts';
import type { Client } from '../client.ts';
import type { World } from '../world.ts';
import type { TxnLedger } from './ledger.ts';
import { TRANSACTION_TIMEOUT_MS, type Told, TxnProducer } from './producer.ts';

const BATCHES_MAX = 4;
const RECORDS_MAX = 3;

export interface WriterParts {
  world: World;
  client: Client;
  /** What was asked late comes on another connection. */
  late: Client;
  ledger: TxnLedger;
}

/**
 * Writes transactions over some partitions, commits, aborts, or goes away in the middle. Of some there are two with one
 * transactional id: each fences the other, and whoever was fenced goes on for a while.
 */
export class TxnWriter {
  readonly #parts: WriterParts;
  readonly #producer: TxnProducer;
  #made = 0;
  /** Whether the last transaction's end was answered. */
  #isEnded = false;

  constructor(parts: WriterParts, transactionalId: string) {
    this.#parts = parts;
    this.#producer = new TxnProducer(parts, transactionalId);
  }

  async run(): Promise<void> {
    const { world, client } = this.#parts;
    while (world.phase !== 'over') {
      await world.scheduler.sleep(client.random.between(100, 700));
      if (this.#producer.identity === undefined && !(await this.#producer.init())) continue;
      await this.#transaction();
    }
  }

  async #transaction(): Promise<void> {
    const { world, client } = this.#parts;
    const beganAtMs = world.scheduler.nowMs;
    const sends: Send[] = [];
    const before = { ...this.#producer.who(), isV2: this.#producer.isV2 };
    this.#isEnded = false;
    const told = await this.#writeSome(sends);
    const outcome = told === 'done' ? await this.#end() : await this.#giveUp(told);
    if (outcome === 'fail') this.#parts.ledger.aborted(sends.map(({ value }) => value));
    world.recorder.add({
      process: client.name,
      isTransaction: true,
      outcome,
      beganAtMs,
      steps: sends,
    });
    if (before.isV2 && this.#isEnded && client.random.chance(0.15)) this.#repeatEndLate(before, outcome);
  }

  async #writeSome(sends: Send[]): Promise<Told> {
    const { world, client, ledger } = this.#parts;
    const { random } = client;
    for (let left = 1 + random.int(BATCHES_MAX); left > 0; left--) {
      const log = random.pick(ledger.inputs);
      const values = this.#values();
      const { told, baseOffset } = await this.#producer.write(log, values);
      for (const [index, value] of values.entries()) {
        const send: Send = { type: 'send', key: log.title, value };
        sends.push(baseOffset === undefined ? send : { ...send, offset: baseOffset + index });
      }
      if (told !== 'done') return told;
      if (random.chance(0.06)) await world.scheduler.sleep(random.between(500, 1.5 * TRANSACTION_TIMEOUT_MS));
    }
    return 'done';
  }

  async #end(): Promise<Outcome> {
    const { random } = this.#parts.client;
    if (random.chance(0.08)) return this.#goAway();
    const committed = random.chance(0.7);
    // Some ask once, and go on whatever became of it.
    const { told, isSure } = await this.#producer.end(committed, random.chance(0.2) ? 1 : undefined);
    this.#isEnded = told === 'done';
    if (told === 'done') return committed ? 'ok' : 'fail';
    if (told === 'fenced') await this.#haunt();
    return committed && (told === 'again' || !isSure) ? 'info' : 'fail';
  }

  /** It was never asked to be committed: nothing of it may ever count. */
  async #giveUp(told: Told): Promise<Outcome> {
    if (told === 'fenced') await this.#haunt();
    else if (this.#parts.client.random.chance(0.6)) await this.#producer.end(false);
    this.#producer.identity = undefined;
    return 'fail';
  }

  /** The next producer of this id aborts what is open, or its coordinator does once its time is up. */
  async #goAway(): Promise<Outcome> {
    const { world, client } = this.#parts;
    this.#producer.identity = undefined;
    if (world.phase === 'wild')
      await world.scheduler.sleep(client.random.between(0, 2 * TRANSACTION_TIMEOUT_MS));
    return 'fail';
  }

  /** Who was fenced does not know, and goes on: nothing of it may be done. */
  async #haunt(): Promise<void> {
    const { client, ledger, world } = this.#parts;
    const { random } = client;
    if (random.chance(0.5)) await world.scheduler.sleep(random.between(0, 2_000));
    const values = this.#values();
    ledger.aborted(values);
    if (random.chance(0.7)) await this.#producer.write(random.pick(ledger.inputs), values, 1);
    if (random.chance(0.7)) await this.#producer.end(true, 1);
    this.#producer.identity = undefined;
  }

  /** What was asked at the end of a transaction is asked again, while the next one may be open. */
  #repeatEndLate(
    who: { transactionalId: string; producerId: number; producerEpoch: number },
    outcome: Outcome,
  ) {
    const { world, client, late } = this.#parts;
    if (!this.#producer.isV2 || world.phase !== 'wild') return;
    const committed = client.random.chance(0.7) ? outcome === 'ok' : outcome !== 'ok';
    const { transactionalId, producerId, producerEpoch } = who;
    world.scheduler.after(client.random.between(0, 1_500), 'a late end', () => {
      void this.#producer.askEnd(late, committed, { transactionalId, producerId, producerEpoch });
    });
  }

  #values(): string[] {
    const { client } = this.#parts;
    return Array.from({ length: 1 + client.random.int(RECORDS_MAX) }, () => `${client.name}.${++this.#made}`);
  }
}
