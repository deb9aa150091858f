import type { Clock } from '../../ports/clock.ts';

/** setTimeout waits at most this long; later deadlines are approached in steps. */
const TIMEOUT_MAX_MS = 0x7fffffff;

/** Real time. A waiting deadline does not keep the process alive: its sockets do. */
export const nodeClock: Clock = {
  now: () => Date.now(),
  at(atMs, callback) {
    let timer: NodeJS.Timeout;
    const arm = () => {
      const delayMs = Math.max(0, atMs - Date.now());
      timer =
        delayMs > TIMEOUT_MAX_MS ? setTimeout(arm, TIMEOUT_MAX_MS) : setTimeout(callback, Math.ceil(delayMs));
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
