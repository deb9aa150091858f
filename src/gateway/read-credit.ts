/** Of what all others leave free, one connection may hold this share. */
const SHARE = 1 / 4;

/**
 * Bytes of records that shards read, or may be reading, for clients that have not taken them yet. Over all connections
 * they are at most `maxBytes`, and beyond it `minBytes` or one batch a connection.
 */
export class ReadCredit {
  readonly #maxBytes: number;
  readonly #minBytes: number;
  #heldBytes = 0;

  /** @param minBytes what each connection may hold, whatever the others do. */
  constructor({ maxBytes, minBytes }: { maxBytes: number; minBytes: number }) {
    this.#maxBytes = maxBytes;
    this.#minBytes = minBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Most that one connection may hold now. */
  get shareBytes(): number {
    return Math.max(this.#minBytes, Math.floor((this.#maxBytes - this.#heldBytes) * SHARE));
  }

  /** One more connection. */
  open(): ConnectionCredit {
    return new ConnectionCredit(this);
  }

  hold(deltaBytes: number): void {
    this.#heldBytes += deltaBytes;
  }
}

/**
 * One connection's. Alone it has plenty; clients that do not read leave each other less and less, and those that do
 * read still enough to go on.
 */
export class ConnectionCredit {
  readonly #all: ReadCredit;
  #heldBytes = 0;

  constructor(all: ReadCredit) {
    this.#all = all;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** What may be read for it now; not above 0 when it must take first what it has. */
  get freeBytes(): number {
    return this.#all.shareBytes - this.#heldBytes;
  }

  /** It holds so much more, or less: counted from before the bytes are read until the client has them. */
  hold(deltaBytes: number): void {
    this.#heldBytes += deltaBytes;
    this.#all.hold(deltaBytes);
  }
}
