import { Socket } from 'node:net';
import type { ISocketFactoryArgs } from 'kafkajs';
import type { ClientBroker } from './fixture.ts';

/**
 * A kafkajs client's way to the broker, through kafkajs's own `socketFactory`: a test can cut it, and it leads to
 * wherever the broker listens now.
 */
export class Line {
  readonly #broker: ClientBroker;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #losesAnswer = false;
  answersLost = 0;

  constructor(broker: ClientBroker) {
    this.#broker = broker;
  }

  readonly socketFactory = ({ onConnect }: ISocketFactoryArgs): Socket => {
    const socket = new LossySocket(() => this.#takeLoss());
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#isCut) return socket.destroy(new Error('the line is cut'));
    return socket.connect({ host: '127.0.0.1', port: this.#broker.port }, onConnect);
  };

  /** The machine at this end has died: nothing of it is heard again, and it never said goodbye. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy(new Error('the line is cut'));
  }

  /** The next answer does not arrive: its connection breaks instead, once the broker has sent it. */
  loseNextAnswer(): void {
    this.#losesAnswer = true;
  }

  #takeLoss(): boolean {
    if (!this.#losesAnswer) return false;
    this.#losesAnswer = false;
    this.answersLost++;
    return true;
  }
}

class LossySocket extends Socket {
  readonly #loses: () => boolean;

  constructor(loses: () => boolean) {
    super();
    this.#loses = loses;
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event === 'data' && this.#loses()) {
      this.destroy(new Error('the connection broke'));
      return true;
    }
    return super.emit(event as 'data', ...(values as [Buffer]));
  }
}
