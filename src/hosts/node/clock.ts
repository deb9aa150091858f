import type { Clock } from '../../ports/clock.ts';

/** setTimeout waits at most this long; later deadlines are approached in steps. */
const TIMEOUT_MAX_MS = 0x7fffffff;

/** @param isIdle a waiting deadline does not keep the process alive. */
function clock(isIdle: boolean): Clock {
  return {
    now: () => Date.now(),
    preciseMs: () => performance.now(),
    at(atMs, callback) {
      // A turn of its own, without the millisecond that setTimeout takes at least.
      if (atMs <= Date.now()) {
        const immediate = setImmediate(callback);
        return () => clearImmediate(immediate);
      }
      let timer: NodeJS.Timeout;
      const arm = () => {
        const delayMs = Math.max(0, atMs - Date.now());
        const isFar = delayMs > TIMEOUT_MAX_MS;
        timer = isFar ? setTimeout(arm, TIMEOUT_MAX_MS) : setTimeout(callback, Math.ceil(delayMs));
        if (isIdle) timer.unref();
      };
      arm();
      return () => clearTimeout(timer);
    },
  };
}

/** Real time, for a broker: its sockets keep the process alive, a waiting deadline does not. */
export const nodeClock: Clock = clock(true);

/** Real time, for a client: who waits to try again has no socket, and the process must not end meanwhile. */
export const clientClock: Clock = clock(false);
