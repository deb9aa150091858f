import { SENT_MESSAGE_MAX_BYTES } from '../../wire/web-socket.ts';

/**
 * One Kafka message as WebSocket messages: one where it fits, else cut. Each is a list of parts that follow each other;
 * none is copied.
 */
export function cutMessages(
  chunks: readonly Uint8Array[],
  maxBytes = SENT_MESSAGE_MAX_BYTES,
): Uint8Array[][] {
  const messages: Uint8Array[][] = [];
  let free = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      if (free === 0) {
        messages.push([]);
        free = maxBytes;
      }
      const part = chunk.subarray(at, at + free);
      messages.at(-1)?.push(part);
      at += part.length;
      free -= part.length;
    }
  }
  return messages;
}
