import { setImmediate, setTimeout } from 'node:timers/promises';

/**
 * Whether a promise settles within that time; at 0 before the next turn of the event loop. It is still to be awaited.
 */
export function settlesWithin(promise: Promise<unknown>, waitMs: number): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  if (waitMs === 0) return Promise.race([settled, setImmediate(false)]);
  const late = new AbortController();
  const slow = setTimeout(waitMs, false, { signal: late.signal }).catch(() => false);
  return Promise.race([settled, slow]).finally(() => late.abort());
}
