import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { until } from './until.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that are really held: objects and the memory of buffers, after a full collection. */
export function heldBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Resolves once no more is held: what is on its way when it is asked, as on a busy machine, comes to rest first. */
export async function heldAtMost(maxBytes: number): Promise<void> {
  let least = Infinity;
  const isLess = () => (least = Math.min(least, heldBytes())) <= maxBytes;
  await until(`no more than ${maxBytes} bytes are held`, isLess).catch((error: Error) => {
    throw new Error(`${error.message}: it is ${least} at least`);
  });
}
