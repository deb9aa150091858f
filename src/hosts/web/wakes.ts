import type { WakeSource } from '../../client/wakeful-clock.ts';

/** Of a page: it thaws, comes back from the cache of those that were left, or is seen again; and of its network. */
export const webWakes: WakeSource = (woke) => {
  const life = new AbortController();
  const { signal } = life;
  const listen = (target: EventTarget, type: string, isAwake = () => true) =>
    target.addEventListener(type, () => isAwake() && woke(), { signal });
  listen(globalThis, 'online');
  listen(globalThis, 'pageshow');
  // Workers have no document.
  if (typeof document !== 'undefined') {
    listen(document, 'resume');
    listen(document, 'visibilitychange', () => document.visibilityState === 'visible');
  }
  return () => life.abort();
};
