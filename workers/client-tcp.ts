import type { ClientGateway } from '../src/hosts/durable-object/client-gateway.ts';
import type { ClientAbout } from './client-socket.ts';

/** Bytes that a client has not taken, beyond which its answers wait. */
const HIGH_WATER_BYTES = 1024 * 1024;

/**
 * A client's TCP connection, where the Worker has a listener of its own: on self-hosted workerd, and on Cloudflare once
 * it passes them in. Resolves when it has ended.
 */
export async function serveTcp(socket: Socket, gateway: ClientGateway, about: ClientAbout): Promise<void> {
  const writer = socket.writable.getWriter();
  const reader = socket.readable.getReader();
  let waitingBytes = 0;
  let isFull = false;
  let isOver = false;
  let resume: (() => void) | undefined;
  let paused: Promise<void> | undefined;
  const end = () => {
    if (isOver) return;
    isOver = true;
    gateway.ended();
    resume?.();
    // What was written before goes out.
    writer.close().catch(() => {});
    reader.cancel().catch(() => {});
  };
  const written = (bytes: number) => {
    waitingBytes -= bytes;
    if (!isFull || waitingBytes >= HIGH_WATER_BYTES / 2) return;
    isFull = false;
    gateway.drained();
  };
  gateway.serve({
    ...about,
    write(chunks) {
      for (const chunk of chunks) {
        waitingBytes += chunk.length;
        writer.write(chunk).then(() => written(chunk.length), end);
      }
      isFull = waitingBytes >= HIGH_WATER_BYTES;
      return !isFull;
    },
    pause() {
      paused ??= new Promise((resolve) => (resume = resolve));
    },
    resume() {
      paused = undefined;
      resume?.();
    },
    close: end,
  });
  try {
    while (!isOver) {
      await paused;
      const { value, done } = (await reader.read()) as { value?: Uint8Array; done: boolean };
      if (done || value === undefined) break;
      if (!isOver) gateway.received(value);
    }
  } catch {
    // The client has gone.
  }
  end();
}
