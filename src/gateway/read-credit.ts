/** Of what all others leave free, one connection may hold this share. */
const SHARE = 1 / 4;

/**
 * Bytes of records that shards read, or may be reading, for clients that have not taken them yet: over all
 * connections at most `maxBytes`, and one batch a connection.
 */
export class ReadCredit {
  readonly maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The share of one more connection. */
  open(): ConnectionCredit {
    return new ConnectionCredit(this);
  }

  hold(deltaBytes: number): void {
    this.#heldBytes += deltaBytes;
  }
}

/**
 * One connection's. It may hold as much as a share of what is free altogether: alone it has plenty, each that does not
 * read leaves the others less, and however many there are, none of them ever comes to nothing.
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
    const { maxBytes, heldBytes } = this.#all;
    return Math.floor((maxBytes - heldBytes) * SHARE) - this.#heldBytes;
  }

  /** It holds so much more, or less: counted from before the bytes are read until the client has them. */
  hold(deltaBytes: number): void {
    this.#heldBytes += deltaBytes;
    this.#all.hold(deltaBytes);
  }
}
