interface Waiter {
  bytes: number;
  granted: () => void;
  refused: (error: unknown) => void;
}

/** Bytes that may be held at a time. Who asks for more waits, in the order of asking. */
export class Budget {
  readonly #maxBytes: number;
  #heldBytes = 0;
  #waiters: Waiter[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether what is asked for now is granted at once: a large one may go over the bound, once. */
  get hasRoom(): boolean {
    return this.#heldBytes < this.#maxBytes && this.#waiters.length === 0;
  }

  /** Takes what {@link hasRoom} has promised. */
  take(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /** Takes it when there is room. @throws what the signal says, or `refuseAll`. */
  async wait(bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.hasRoom) return this.take(bytes);
    signal?.throwIfAborted();
    const aborted = Promise.withResolvers<void>();
    const waiter = { bytes, granted: aborted.resolve, refused: aborted.reject };
    const abort = () => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      aborted.reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    this.#waiters.push(waiter);
    try {
      await aborted.promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes;
    while (this.#heldBytes < this.#maxBytes) {
      const next = this.#waiters.shift();
      if (next === undefined) return;
      this.#heldBytes += next.bytes;
      next.granted();
    }
  }

  /** Nothing is granted any more to those that wait. */
  refuseAll(error: Error): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { refused } of waiters) refused(error);
  }
}
