import type { ClientGateway, ClientStream } from '../src/hosts/durable-object/client-gateway.ts';

/** What a message of ours holds at most: intermediaries have been seen to fail near a megabyte. */
const MESSAGE_MAX_BYTES = 900_000;
/** Bytes that a client has not taken, beyond which its answers wait. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** Nobody tells when a WebSocket has room again. */
const LOOK_AGAIN_MS = 10;
/** What a client may send while its requests wait: a WebSocket cannot be told to stop. */
const HELD_MAX_BYTES = 64 * 1024 * 1024;

const CLOSE_CODES: Readonly<Record<string, number>> = {
  idle: 1000,
  shutdown: 1001,
  goaway: 1012,
  not_binary: 1003,
  unsupported: 1003,
  too_large: 1009,
  acks_0_failed: 1011,
  memory: 1013,
};
const BAD_STREAM = 1007;

/** Runtimes before the November of 2026 do not tell: there nothing holds back but the platform's own limits. */
function waitingBytes(socket: Partial<Pick<WebSocket, 'bufferedAmount'>>): number {
  return socket.bufferedAmount ?? 0;
}

export type ClientAbout = Pick<ClientStream, 'address' | 'clientHost' | 'known' | 'wantsLogin'>;

/** A client's WebSocket as the byte stream it carries (ARCHITECTURE, decision 18). */
export function serveWebSocket(socket: WebSocket, gateway: ClientGateway, about: ClientAbout): void {
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  let isPaused = false;
  let isOver = false;
  const end = () => {
    isOver = true;
    gateway.ended();
  };
  const close = (reason: string) => {
    isOver = true;
    socket.close(CLOSE_CODES[reason] ?? BAD_STREAM, reason);
  };
  const lookAgain = () => {
    if (isOver) return;
    if (waitingBytes(socket) < HIGH_WATER_BYTES / 2) gateway.drained();
    else setTimeout(lookAgain, LOOK_AGAIN_MS);
  };
  const receive = (chunk: Uint8Array) => {
    if (!isPaused) return gateway.received(chunk);
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes <= HELD_MAX_BYTES) return;
    close('memory');
    gateway.ended();
  };
  socket.binaryType = 'arraybuffer';
  socket.accept();
  socket.addEventListener('message', ({ data }) => {
    if (isOver) return;
    if (data instanceof ArrayBuffer) return receive(new Uint8Array(data));
    close('not_binary');
    gateway.ended();
  });
  socket.addEventListener('close', end);
  socket.addEventListener('error', end);
  gateway.serve({
    ...about,
    write(chunks) {
      for (const message of messagesOf(chunks)) socket.send(message);
      if (waitingBytes(socket) < HIGH_WATER_BYTES) return true;
      setTimeout(lookAgain, LOOK_AGAIN_MS);
      return false;
    },
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
      while (!isPaused && held.length > 0) {
        const chunk = held.shift();
        heldBytes -= chunk?.length ?? 0;
        if (chunk) gateway.received(chunk);
      }
    },
    close,
  });
}

/** One Kafka message in one where it fits. */
function* messagesOf(chunks: readonly Uint8Array[]): Iterable<Uint8Array<ArrayBuffer>> {
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  const whole = new Uint8Array(size);
  let end = 0;
  for (const chunk of chunks) {
    whole.set(chunk, end);
    end += chunk.length;
  }
  for (let at = 0; at < size; at += MESSAGE_MAX_BYTES) yield whole.subarray(at, at + MESSAGE_MAX_BYTES);
}
