import { concat } from '../../model/bytes.ts';

const LINE_FEED = 0x0a;

/**
 * The lines of a stream without their ends, as many at once as came together; a last one without an end counts. What
 * is held is the line that is not whole.
 * @throws {RangeError} when one is longer than `maxBytes`; all before it have been given.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array[]> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const rest = chunk.subarray(start, end);
      lines.push(held.length === 0 ? rest : concat([...held, rest]));
      held = [];
      heldBytes = 0;
      start = end + 1;
    }
    if (lines.length > 0) yield lines;
    if (start === chunk.length) continue;
    held.push(chunk.subarray(start));
    heldBytes += chunk.length - start;
    if (heldBytes > maxBytes) throw new RangeError(`longer than ${maxBytes} bytes`);
  }
  if (held.length > 0) yield [concat(held)];
}
