import { webSocketTransport } from '../client/transports/web-socket.ts';
import { webClock } from '../hosts/web/clock.ts';
import type { Surroundings, Wake } from './surroundings.ts';

/** What pages, Workers and Node have in common. */
export const platform: Surroundings = {
  clock: webClock,
  random: Math.random,
  transport: (url) => webSocketTransport(url, webClock),
  onWake,
  report: globalThis.reportError ?? ((error: unknown) => console.error(error)),
};

/** Node has no such events; a worker has those of the network. */
function onWake(listener: (why: Wake) => void): () => void {
  const { document } = globalThis;
  const targets: [target: EventTarget | undefined, type: string, listen: (event: Event) => void][] = [
    [globalThis, 'online', () => listener('network')],
    [globalThis, 'offline', () => listener('network')],
    // Also of a page that is new.
    [globalThis, 'pageshow', (event) => (event as PageTransitionEvent).persisted && listener('shown')],
    [document, 'visibilitychange', () => document.visibilityState === 'visible' && listener('shown')],
  ];
  for (const [target, type, listen] of targets) target?.addEventListener?.(type, listen);
  return () => {
    for (const [target, type, listen] of targets) target?.removeEventListener?.(type, listen);
  };
}
