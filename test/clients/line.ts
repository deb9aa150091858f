import { Socket, connect } from 'node:net';
import type { ISocketFactoryArgs } from 'kafkajs';
import { webSocketFactory } from '../../src/kafkajs/index.ts';
import type { Place } from './fixture.ts';

/**
 * A kafkajs client's way to the broker, through kafkajs's own `socketFactory`: a test can cut and mend it, and it
 * leads to wherever the broker listens now.
 */
export class Line {
  readonly #broker: Place;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #onAnswer: (() => void) | undefined;

  constructor(broker: Place) {
    this.#broker = broker;
  }

  readonly socketFactory = (args: ISocketFactoryArgs): Socket => {
    if (this.#isCut || !this.#broker.isRunning) return new Socket().destroy(lineCut('ECONNREFUSED'));
    const socket = dial(this.#broker, args);
    const emit = socket.emit.bind(socket) as (event: string, ...values: unknown[]) => boolean;
    socket.emit = (event: string, ...values: unknown[]) =>
      (event === 'data' && this.#takesAnswer()) || emit(event, ...values);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  };

  /** The machine at this end has died: nothing of it is heard again, and it never said goodbye. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy(lineCut('ECONNRESET'));
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

  /** Whether what arrives is not for the client to see. */
  #takesAnswer(): boolean {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.();
    return onAnswer !== undefined;
  }
}

/** As the system says it: by the code kafkajs decides whether to try again. */
function lineCut(code: 'ECONNREFUSED' | 'ECONNRESET'): Error {
  return Object.assign(new Error('the line is cut'), { code });
}

/** To where the broker listens now, whatever address the client has. */
function dial({ door, port }: Place, args: ISocketFactoryArgs): Socket {
  const address = { host: '127.0.0.1', port };
  if (door === 'tcp') return connect(address, args.onConnect);
  return webSocketFactory()({ ...args, ...address });
}
