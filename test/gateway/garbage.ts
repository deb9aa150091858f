import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * Bytes that are really held: objects and the memory of buffers, after a full collection, and one more: V8 frees what
 * buffers had on another thread, and counts it as held until that is done, for which the next collection waits.
 */
export function heldBytes(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
