import type { ClientGateway } from '../src/hosts/durable-object/client-gateway.ts';
import { Outbox } from '../src/hosts/durable-object/outbox.ts';
import type { ClientAbout } from './client-socket.ts';

/** Bytes that a client has not taken, beyond which its answers wait. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** Read at once: the platform's own four kilobytes make an event of each, and one connection holds so much. */
const READ_MIN_BYTES = 8 * 1024;
const READ_MAX_BYTES = 256 * 1024;

/**
 * A client's TCP connection, where the Worker has a listener of its own: on self-hosted workerd, and on Cloudflare once
 * it passes them in. Resolves when it has ended.
 */
export async function serveTcp(socket: Socket, gateway: ClientGateway, about: ClientAbout): Promise<void> {
  const writer = socket.writable.getWriter();
  const reader = (socket.readable as ReadableStream<Uint8Array>).getReader({ mode: 'byob' });
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
    outbox.flush();
    // What was written before goes out.
    writer.close().catch(() => {});
    reader.cancel().catch(() => {});
  };
  const outbox = new Outbox((message) => {
    writer.write(message).then(() => {
      waitingBytes -= message.length;
      if (!isFull || waitingBytes >= HIGH_WATER_BYTES / 2) return;
      isFull = false;
      gateway.drained();
    }, end);
  });
  gateway.serve({
    ...about,
    write(chunks) {
      for (const { length } of chunks) waitingBytes += length;
      outbox.add(chunks);
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
    let sizeBytes = READ_MIN_BYTES;
    while (!isOver) {
      await paused;
      const { value, done } = await reader.read(new Uint8Array(sizeBytes));
      if (done || value === undefined) break;
      sizeBytes = value.length >= READ_MIN_BYTES ? READ_MAX_BYTES : READ_MIN_BYTES;
      if (!isOver) gateway.received(value);
    }
  } catch {
    // The client has gone.
  }
  end();
}
