import { CliError, EXIT } from './errors.ts';

/** How long a command may take to stop in order: to acknowledge, commit, leave its group. */
const GRACE_MS = 10_000;

let life: AbortController | undefined;

/** Aborted by the first Ctrl-C or SIGTERM; a second one, or the end of the grace, ends the process. */
export function untilInterrupted(): AbortSignal {
  if (life !== undefined) return life.signal;
  const controller = new AbortController();
  life = controller;
  const stop = (exitCode: number) => {
    if (controller.signal.aborted) process.exit(exitCode);
    controller.abort(new CliError(exitCode, 'INTERRUPTED', 'interrupted'));
    setTimeout(() => process.exit(exitCode), GRACE_MS).unref();
  };
  process.on('SIGINT', () => stop(EXIT.interrupted));
  process.on('SIGTERM', () => stop(EXIT.terminated));
  return controller.signal;
}
