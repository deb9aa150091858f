import { publish, subscribe } from '../web/index.ts';
import type {
  MilenaError,
  OfTopic,
  OutgoingRecord,
  RecordMetadata,
  Status,
  SubscribeOptions,
  Subscription,
  TopicRecord,
} from '../web/index.ts';

export interface UseTopicOptions extends Pick<SubscribeOptions, 'from'>, OfTopic {
  /** So many of the newest records are kept: 100 unless given. */
  limit?: number;
}

/** What a component sees of a topic. It is another object when anything has changed. */
export interface TopicView {
  /** The newest records, oldest first. */
  readonly records: readonly TopicRecord[];
  readonly status: Status['state'];
  readonly error: MilenaError | undefined;
  /** Resolves when it is acknowledged; the record comes back among `records`. */
  readonly publish: (record: OutgoingRecord) => Promise<RecordMetadata>;
}

const LIMIT = 100;

/** A topic as `useSyncExternalStore` wants it. It reads while somebody looks, and goes on where it was. */
export class TopicStore {
  readonly #url: string;
  readonly #options: UseTopicOptions;
  readonly #listeners = new Set<() => void>();
  #subscription: Subscription | undefined;
  #position: Subscription['position'];
  #view: TopicView;
  #waiting: TopicRecord[] = [];
  #isTelling = false;

  constructor(url: string, options: UseTopicOptions) {
    this.#url = url;
    this.#options = options;
    this.#view = {
      records: [],
      status: 'connecting',
      error: undefined,
      publish: (record) => publish(url, record, options.topic === undefined ? {} : { topic: options.topic }),
    };
  }

  readonly view = (): TopicView => this.#view;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#subscription ??= this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  };

  #start(): Subscription {
    const { limit: _, ...options } = this.#options;
    const from = this.#position ?? options.from;
    return subscribe(
      this.#url,
      (record) => {
        this.#waiting.push(record);
        this.#tellSoon();
      },
      {
        ...options,
        ...(from === undefined ? {} : { from }),
        onStatus: ({ state, error }) => {
          this.#view = { ...this.#view, status: state, error };
          this.#tellSoon();
        },
      },
    );
  }

  #stop(): void {
    this.#position = this.#subscription?.position ?? this.#position;
    this.#subscription?.();
    this.#subscription = undefined;
  }

  /** Once for all that comes in one answer of a broker. */
  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      const records = [...this.#view.records, ...this.#waiting].slice(-(this.#options.limit ?? LIMIT));
      this.#view = { ...this.#view, records: this.#waiting.length === 0 ? this.#view.records : records };
      this.#waiting = [];
      for (const listener of this.#listeners) listener();
    });
  }
}
