import { openTelemetry } from '../../client/tracing/open-telemetry.ts';
import type { Tracing } from '../../ports/tracing.ts';

/** Where that package keeps what a process has set up with it. */
const SET_UP = Symbol.for('opentelemetry.js.api.1');

/** OpenTelemetry, where this process has set it up; then its package is there to be loaded. */
export async function tracingOfProcess(): Promise<Tracing | undefined> {
  if (!(SET_UP in globalThis)) return undefined;
  try {
    return openTelemetry(await import('@opentelemetry/api'));
  } catch {
    return undefined;
  }
}
