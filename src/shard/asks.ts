import type { Answer, Ask, Caller } from '../model/machine.ts';
import type { Clock } from '../ports/clock.ts';
import type { ShardLink, ShardReply } from '../ports/shard-link.ts';

/** No client's connection has it. */
const NO_LINK = 0;
const BROKER: Caller = { principal: 'User:ANONYMOUS', clientId: '', clientHost: '' };
/** Kafka's request.timeout.ms: what has no answer until then is asked again. */
const ANSWER_WITHIN_MS = 30_000;
const FIRST_PAUSE_MS = 20;
const LAST_PAUSE_MS = 1_000;

/** Whether an answer is taken: if not, the same is asked again after a while. */
type Takes = (answer: Answer) => boolean;

/** One ask until its answer is taken. */
interface Asking {
  ask: Ask;
  takes: Takes;
  /** Of the request under way, 0 between two. */
  correlationId: number;
  pauseMs: number;
  cancelTimer: () => void;
}

/**
 * What the shards of a host ask other shards. Each ask is repeated, with pauses that grow, until its answer is taken
 * or it is called off; whoever asked asks anew after a restart, since its log says what is still to be done.
 */
export class Asks {
  readonly #link: Pick<ShardLink, 'request'>;
  readonly #clock: Clock;
  readonly #asking = new Set<Asking>();
  /** Requests under way. Their ids count down: none is a gateway's. */
  readonly #expected = new Map<number, Asking>();
  #lastId = 0;
  #isClosed = false;

  constructor(link: Pick<ShardLink, 'request'>, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
  }

  /** @returns calls it off. The answer may come before `ask` returns. */
  ask(ask: Ask, takes: Takes): () => void {
    const asking = { ask, takes, correlationId: 0, pauseMs: FIRST_PAUSE_MS, cancelTimer: () => {} };
    if (this.#isClosed) return () => {};
    this.#asking.add(asking);
    this.#send(asking);
    return () => this.#end(asking);
  }

  /** @returns whether `reply` was to one of these. */
  receive({ to, body, errorCode }: ShardReply): boolean {
    if (to.correlationId >= 0) return false;
    const asking = this.#expected.get(to.correlationId);
    if (asking === undefined) return true;
    this.#pause(asking);
    if (asking.takes(errorCode === undefined ? { body } : { body, errorCode })) this.#end(asking);
    else if (this.#asking.has(asking)) this.#sendLater(asking);
    return true;
  }

  /** Calls all off, for good. */
  close(): void {
    this.#isClosed = true;
    for (const asking of this.#asking) this.#end(asking);
  }

  #send(asking: Asking): void {
    const { shard, apiKey, apiVersion, body } = asking.ask;
    const correlationId = --this.#lastId;
    asking.correlationId = correlationId;
    this.#expected.set(correlationId, asking);
    asking.cancelTimer = this.#clock.at(this.#clock.now() + ANSWER_WITHIN_MS, () => {
      this.#pause(asking);
      this.#sendLater(asking);
    });
    const from = { link: NO_LINK, correlationId };
    this.#link.request({ shard, from, caller: BROKER, apiKey, apiVersion, body });
  }

  #sendLater(asking: Asking): void {
    asking.cancelTimer = this.#clock.at(this.#clock.now() + asking.pauseMs, () => this.#send(asking));
    asking.pauseMs = Math.min(asking.pauseMs * 2, LAST_PAUSE_MS);
  }

  /** What was sent has its answer, or will have none. */
  #pause(asking: Asking): void {
    asking.cancelTimer();
    this.#expected.delete(asking.correlationId);
  }

  #end(asking: Asking): void {
    this.#pause(asking);
    this.#asking.delete(asking);
  }
}
