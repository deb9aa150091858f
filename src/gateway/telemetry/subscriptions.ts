import { TopicPattern } from '../../group/regex/topic-pattern.ts';
import { type MetadataImage, ResourceType } from '../../metadata/image.ts';
import { listItems } from '../../metadata/configs/validate.ts';
import { KafkaError } from '../../model/errors.ts';
import type { Millis } from '../../model/ids.ts';

/** By the names that selectors have (KIP-714). */
export type ClientFacts = ReadonlyMap<string, string>;

/** What one client is to push, by all subscriptions that are for it. */
export interface Wanted {
  /** Prefixes of names; `*` alone is all, none is nothing. */
  readonly metrics: readonly string[];
  readonly intervalMs: Millis;
}

const INTERVAL_MS = 300_000;
const ALL = '*';

interface Subscription {
  readonly metrics: readonly string[];
  readonly intervalMs: Millis;
  /** All have to match. */
  readonly match: readonly { readonly what: string; readonly pattern: TopicPattern | undefined }[];
}

/** What is set on resources of the type CLIENT_METRICS. */
export class Subscriptions {
  readonly #image: MetadataImage;
  #version = -1;
  #all: readonly Subscription[] = [];

  constructor(image: MetadataImage) {
    this.#image = image;
  }

  /** Of what is read now. */
  get version(): number {
    return this.#image.version;
  }

  wantedOf(client: ClientFacts): Wanted {
    this.#read();
    const mine = this.#all.filter(({ match }) =>
      match.every(({ what, pattern }) => pattern?.matches(client.get(what) ?? '') === true),
    );
    const names = new Set(mine.flatMap(({ metrics }) => metrics));
    return {
      metrics: names.has(ALL) ? [ALL] : [...names].toSorted(),
      intervalMs: mine.reduce((least, { intervalMs }) => Math.min(least, intervalMs), INTERVAL_MS),
    };
  }

  #read(): void {
    if (this.#version === this.#image.version) return;
    this.#version = this.#image.version;
    this.#all = Array.from(this.#image.configuredResources())
      .filter(({ type }) => type === ResourceType.CLIENT_METRICS)
      .map(({ configs }) => ({
        metrics: listItems(configs.get('metrics') ?? ''),
        intervalMs: Number(configs.get('interval.ms') ?? INTERVAL_MS),
        match: listItems(configs.get('match') ?? '').map((selector) => {
          const [what = '', pattern = ''] = selector.split('=');
          return { what: what.trim(), pattern: patternOf(pattern.trim()) };
        }),
      }));
  }
}

/** Undefined for what RE2 does not know: it matches nobody. */
function patternOf(source: string): TopicPattern | undefined {
  try {
    return new TopicPattern(source);
  } catch (error) {
    if (error instanceof KafkaError) return undefined;
    throw error;
  }
}
