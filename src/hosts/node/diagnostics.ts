import { channel } from 'node:diagnostics_channel';
import type { Diagnostics } from '../../ports/diagnostics.ts';

/** `subscribe('milena:request', (message) => …)` of `node:diagnostics_channel`. */
export const nodeDiagnostics: Diagnostics = {
  connection: channel('milena:connection'),
  request: channel('milena:request'),
  produce: channel('milena:produce'),
  fetch: channel('milena:fetch'),
};
