/** Where a broker is found. Transports that lead to one place only do not look at it. */
export interface BrokerAddress {
  host: string;
  port: number;
}

/** What a stream tells of itself. */
export interface StreamEvents {
  /** Bytes from the broker, in any cut. They are kept by reference: the transport must not use the memory again. */
  received(chunk: Uint8Array): void;
  /** For a transport that can read where it is told to: instead of `received`, and it saves a copy. */
  readonly inPlace?: {
    /** Where to put what comes next. */
    space(): Uint8Array;
    /** So many bytes lie at the beginning of what was given last. */
    filled(sizeBytes: number): void;
  };
  /** `write` has said false, and now there is room. */
  drained(): void;
  /** The stream has ended, whoever ended it: once, and nothing is told after it. @param why for people. */
  closed(why: string): void;
}

/** A byte stream to a broker, both ways, in order: what TCP gives, whatever carries it. */
export interface ByteStream {
  /**
   * Queues bytes, which must not be changed any more. After the end it does nothing.
   * @returns false when enough waits to be sent: wait for `drained`. What is written all the same is queued too.
   */
  write(bytes: Uint8Array): boolean;
  /** Ends it; what was written just before may be lost. `closed` is told, now or soon. Idempotent. */
  close(): void;
}

/** A way to brokers: all a client needs of a network. `test/client/transports/contract.ts` is the definition. */
export interface Transport {
  /**
   * Opens a stream; nothing is told before it resolves.
   * @param signal gives up: nothing stays open once it rejects.
   * @throws {Error} with a message for people when nobody answers there: it is tried again, unless that is a
   *   `MilenaError` that is not retriable; what the signal says when it is aborted.
   */
  open(address: BrokerAddress, events: StreamEvents, signal?: AbortSignal): Promise<ByteStream>;
}
