import { once } from 'node:events';
import { type Socket, connect } from 'node:net';

/** A connection that only counts what comes back: as little work as Node allows, so that the broker is measured. */
export class RawConnection {
  readonly #socket: Socket;
  receivedBytes = 0;
  #wake: (() => void) | undefined;
  readonly #frame = { needed: 0, header: Buffer.alloc(4), have: 0 };
  /** Whole responses so far. */
  responses = 0;
  readonly #countFrames: boolean;

  private constructor(socket: Socket, countFrames: boolean) {
    this.#socket = socket;
    this.#countFrames = countFrames;
    socket.on('close', () => this.#woken());
  }

  /** @param countFrames whether what comes back are Kafka responses to be counted, or just bytes. */
  static async open(
    { host, port }: { host: string; port: number },
    countFrames = true,
  ): Promise<RawConnection> {
    let connection: RawConnection | undefined;
    const buffer = Buffer.alloc(1024 * 1024);
    const socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer,
        callback: (size, bytes) => {
          connection?.received(bytes as Buffer, size);
          return true;
        },
      },
    });
    await once(socket, 'connect');
    connection = new RawConnection(socket, countFrames);
    return connection;
  }

  received(bytes: Buffer, size: number): void {
    this.receivedBytes += size;
    if (this.#countFrames) this.#count(bytes, size);
    this.#woken();
  }

  #woken(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #count(bytes: Buffer, size: number): void {
    const frame = this.#frame;
    let at = 0;
    while (at < size) {
      if (frame.needed > 0) {
        const taken = Math.min(frame.needed, size - at);
        frame.needed -= taken;
        at += taken;
        if (frame.needed === 0) this.responses++;
        continue;
      }
      frame.header[frame.have++] = bytes[at++] ?? 0;
      if (frame.have < 4) continue;
      frame.needed = frame.header.readInt32BE(0);
      frame.have = 0;
    }
  }

  /** Sends, and waits while the socket is full. */
  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#socket.write(bytes)) await once(this.#socket, 'drain');
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#socket.destroyed) throw new Error('the server closed the connection');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
