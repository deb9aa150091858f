import type { Log } from '../../src/ports/log.ts';

/** For what is meant to go wrong. */
export const noLog: Log = { info: () => {}, warn: () => {}, error: () => {} };
