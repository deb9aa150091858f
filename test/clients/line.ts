import { Socket } from 'node:net';
import type { ISocketFactoryArgs } from 'kafkajs';
import type { ClientBroker } from './fixture.ts';

/**
 * A kafkajs client's way to the broker, through kafkajs's own `socketFactory`: a test can cut and mend it, and it
 * leads to wherever the broker listens now.
 */
export class Line {
  readonly #broker: ClientBroker;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #onAnswer: (() => void) | undefined;

  constructor(broker: ClientBroker) {
    this.#broker = broker;
  }

  readonly socketFactory = ({ onConnect }: ISocketFactoryArgs): Socket => {
    const socket = new FragileSocket(() => this.#takesAnswer());
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#isCut || !this.#broker.isRunning) return socket.destroy(new Error('the line is cut'));
    return socket.connect({ host: '127.0.0.1', port: this.#broker.port }, onConnect);
  };

  /** The machine at this end has died: nothing of it is heard again, and it never said goodbye. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy(new Error('the line is cut'));
  }

  mend(): void {
    this.#isCut = false;
  }

  /** Cuts the line as soon as an answer comes, which the client does not get. Resolves then. */
  cutAtNextAnswer(): Promise<void> {
    return new Promise((resolve) => {
      this.#onAnswer = () => {
        this.cut();
        resolve();
      };
    });
  }

  #takesAnswer(): boolean {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.();
    return onAnswer !== undefined;
  }
}

class FragileSocket extends Socket {
  readonly #takes: () => boolean;

  /** @param takes asked for whatever arrives; the client does not see what it takes. */
  constructor(takes: () => boolean) {
    super();
    this.#takes = takes;
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event === 'data' && this.#takes()) return true;
    return super.emit(event as 'data', ...(values as [Buffer]));
  }
}
