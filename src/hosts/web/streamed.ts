import { concat } from '../../model/bytes.ts';
import { tooLarge } from '../../records/too-large.ts';

interface Transform {
  readable: { getReader(): unknown };
  writable: { getWriter(): unknown };
}

/** What both platforms' types have in common. */
interface Reader {
  read(): Promise<{ done: boolean; value?: Uint8Array }>;
  cancel(reason: unknown): Promise<void>;
}
interface Writer {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/**
 * What comes out when `bytes` go in. Chunks come as they are read: the bound is seen before the next one is made.
 * @throws what the transform says of the bytes; `tooLarge`.
 */
export async function streamed(
  transform: Transform,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  const reader = transform.readable.getReader() as Reader;
  const written = write(transform.writable.getWriter() as Writer, bytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value === undefined) break;
    size += value.length;
    if (size > maxBytes) {
      const error = tooLarge(maxBytes);
      await reader.cancel(error);
      throw error;
    }
    chunks.push(value);
  }
  await written;
  return concat(chunks);
}

/** Reading tells of what goes wrong; so nobody has to wait for this to hear of it. */
async function write(writer: Writer, bytes: Uint8Array): Promise<void> {
  await Promise.allSettled([writer.write(bytes), writer.close()]);
}
