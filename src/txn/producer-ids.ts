import { ErrorCode } from '../model/errors.ts';
import type { Answer, Ask, MachineRequest } from '../model/machine.ts';
import { allocateProducerIdsApi } from '../wire/apis/67-allocate-producer-ids.ts';
import type {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
} from '../wire/apis/67-allocate-producer-ids.ts';

/** Producer ids by the block, each once for ever; the controller hands the blocks out (KIP-730). */
export class ProducerIds {
  readonly #controller: string;
  #next = 0;
  #end = 0;
  #ask: Ask | undefined;
  /** Requests that cannot be decided without an id, as they came. */
  #waiting: MachineRequest[] = [];

  /** @param controller its shard. */
  constructor(controller: string) {
    this.#controller = controller;
  }

  /** Undefined when there is none: who needs one waits. */
  take(): number | undefined {
    return this.#next < this.#end ? this.#next++ : undefined;
  }

  /** Keeps a request until there are ids. @returns what is to be asked for that, if it is not asked already. */
  queue(request: MachineRequest): readonly Ask[] {
    this.#waiting.push(request);
    if (this.#ask !== undefined) return [];
    const { key, versions } = allocateProducerIdsApi;
    const body: AllocateProducerIdsRequest = { brokerId: -1, brokerEpoch: -1 };
    this.#ask = { shard: this.#controller, apiKey: key, apiVersion: versions.max, body };
    return [this.#ask];
  }

  isAsk(ask: Ask): boolean {
    return ask === this.#ask;
  }

  /** @returns who waited, to be decided anew; undefined if the answer brings no ids. */
  answered({ body }: Answer): readonly MachineRequest[] | undefined {
    const block = body as AllocateProducerIdsResponse | undefined;
    if (block === undefined || block.errorCode !== ErrorCode.NONE) return undefined;
    this.#ask = undefined;
    this.#next = block.producerIdStart;
    this.#end = block.producerIdStart + block.producerIdLen;
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  forget(link: number): void {
    this.#waiting = this.#waiting.filter(({ from }) => from.link !== link);
  }
}
