import { Exposition } from './exposition.ts';
import { type Facts, type Observed, gatherFacts } from './facts.ts';
import { writeKafkaNames } from './kafka-names.ts';
import { writeNative } from './native.ts';
import { ProcessMetrics } from './process.ts';

/** `/metrics` and `/metrics/kafka`. Everything is added up when somebody looks. */
export class MetricsPages {
  readonly #observed: Observed;
  readonly #process = new ProcessMetrics();
  /** Who looks while somebody looks sees the same. */
  #looking: Promise<Facts> | undefined;

  constructor(observed: Observed) {
    this.#observed = observed;
  }

  /** @param names Milena's own, or those that dashboards for Kafka look for. */
  async page(names: 'milena' | 'kafka'): Promise<string> {
    this.#looking ??= gatherFacts(this.#observed).finally(() => (this.#looking = undefined));
    const facts = await this.#looking;
    const exposition = new Exposition();
    if (names === 'kafka') writeKafkaNames(exposition, this.#observed, facts);
    else writeNative(exposition, this.#observed, facts);
    if (names === 'milena') this.#process.write(exposition);
    return exposition.text();
  }
}
