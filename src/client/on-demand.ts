import type { MaybePromise } from '../records/codecs.ts';
import { MilenaError } from './milena-error.ts';

/** A part of the client, by calling it: at once where it is here, else once it is loaded. @throws as `onDemand` */
export type OnDemand<T> = () => MaybePromise<T>;

/**
 * Loads a part when it is asked for first. What could not be loaded is tried again by the next call.
 * @param what it is, for people.
 * @throws MilenaError NOT_LOADED
 */
export function onDemand<T>(what: string, load: () => Promise<T>): OnDemand<T> {
  let part: MaybePromise<T> | undefined;
  const ready = (loaded: T) => (part = loaded);
  const failed = (error: unknown): never => {
    part = undefined;
    throw notLoaded(what, error);
  };
  return () => (part ??= load().then(ready, failed));
}

/** Begins to load what will be wanted; whoever wants it is told what goes wrong. */
export function prefetch(part: OnDemand<unknown>): void {
  const loading = part();
  if (loading instanceof Promise) loading.catch(() => {});
}

function notLoaded(what: string, cause: unknown): MilenaError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new MilenaError(`${what} could not be loaded: ${why}`, {
    code: 'NOT_LOADED',
    retriable: true,
    hint: 'is the network there? A browser may remember what it could not fetch until its page is loaded again',
    cause,
  });
}
