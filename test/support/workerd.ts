import { unstable_dev } from 'wrangler';

type Worker = Awaited<ReturnType<typeof unstable_dev>>;
type Settings = Pick<
  NonNullable<Parameters<typeof unstable_dev>[1]>,
  'config' | 'compatibilityDate' | 'vars' | 'persistTo'
>;

/** A Worker in workerd, as wrangler bundles it, on a free port; wrangler says nothing but what went wrong. */
export function startWorker(script: string, settings: Settings): Promise<Worker> {
  return unstable_dev(script, {
    ...settings,
    local: true,
    ip: '127.0.0.1',
    port: 0,
    inspectorPort: 0,
    logLevel: 'error',
    experimental: { disableExperimentalWarning: true, disableDevRegistry: true },
  });
}
