import { EXIT } from './errors.ts';

export interface Stopping {
  /** Called once, with the first signal: drains and writes. */
  stop: (signal: 'SIGINT' | 'SIGTERM') => Promise<void>;
  /** It could not be stopped in order. */
  failed: (error: Error) => void;
}

/** SIGTERM and Ctrl-C stop what runs, then the process; a second Ctrl-C does not wait. */
export function stopOnSignals({ stop, failed }: Stopping): void {
  let stopping = false;
  const onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    const exitCode = signal === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
    if (stopping) return signal === 'SIGINT' ? process.exit(EXIT.interrupted) : undefined;
    stopping = true;
    stop(signal).then(
      () => process.exit(exitCode),
      (error) => {
        failed(error instanceof Error ? error : new Error(String(error)));
        process.exit(EXIT.failure);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}
