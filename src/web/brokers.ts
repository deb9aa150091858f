import type { BrokerAddress } from '../ports/transport.ts';
import { metadataApi, type TopicFacts } from './apis.ts';
import { refusal } from './errors.ts';
import { Link, type LinkOptions } from './link.ts';

/** The brokers of a cluster, and a connection to each that is needed. */
export class Brokers {
  readonly #options: LinkOptions;
  readonly #first: BrokerAddress;
  /** By `host:port`. */
  readonly #links = new Map<string, Promise<Link>>();
  #addresses = new Map<number, BrokerAddress>();

  constructor(options: LinkOptions, first: BrokerAddress) {
    this.#options = options;
    this.#first = first;
  }

  /** @throws MilenaError what the broker says of the topic. */
  async topic(
    topic: string,
    { mayCreate, signal }: { mayCreate: boolean; signal: AbortSignal },
  ): Promise<TopicFacts> {
    const link = await this.any(signal);
    const { brokers, topic: facts } = await link.ask(metadataApi, { topic, mayCreate }, signal);
    this.#addresses = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    if (facts === undefined || facts.errorCode !== 0) throw refusal(facts?.errorCode ?? 3, topic);
    return facts;
  }

  /** @throws MilenaError CONNECTION_LOST */
  any(signal: AbortSignal): Promise<Link> {
    return this.#at(this.#first, signal);
  }

  /** Where there is one broker it is the one we came to, whatever it believes its address is. @throws MilenaError */
  leader(leaderId: number, signal: AbortSignal): Promise<Link> {
    const address = this.#addresses.get(leaderId);
    if (address === undefined) return Promise.reject(refusal(5, `broker ${leaderId}`));
    return this.#at(this.#addresses.size > 1 ? address : this.#first, signal);
  }

  /** All connections; the next question opens another. */
  close(): void {
    for (const link of this.#links.values()) link.then((open) => open.close()).catch(() => {});
    this.#links.clear();
  }

  async #at(address: BrokerAddress, signal: AbortSignal): Promise<Link> {
    const key = `${address.host}:${address.port}`;
    const known = await this.#links.get(key);
    if (known !== undefined && !known.isClosed) return known;
    const opening = Link.open(this.#options, address, signal);
    this.#links.set(key, opening);
    try {
      return await opening;
    } catch (error) {
      if (this.#links.get(key) === opening) this.#links.delete(key);
      throw error;
    }
  }
}
