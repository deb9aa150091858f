import type { Clock } from '../../ports/clock.ts';

/** setTimeout waits at most this long; later deadlines are approached in steps. */
const TIMEOUT_MAX_MS = 0x7fffffff;

/** Real time, as pages and Workers have it. A page that sleeps wakes to find its deadlines past. */
export const webClock: Clock = {
  now: () => Date.now(),
  at(atMs, callback) {
    let timer: ReturnType<typeof setTimeout>;
    const arm = () => {
      const delayMs = Math.max(0, Math.ceil(atMs - Date.now()));
      timer = delayMs > TIMEOUT_MAX_MS ? setTimeout(arm, TIMEOUT_MAX_MS) : setTimeout(callback, delayMs);
    };
    arm();
    return () => clearTimeout(timer);
  },
};
