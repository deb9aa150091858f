/** Of every document of `--json`: it counts up when a field goes or changes its meaning, not when one comes. */
export const JSON_VERSION = 1;

/** Exit codes of the command line; a script may rely on them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  unauthorised: 4,
  /** Or no answer in time. */
  unreachable: 5,
  /** A check that was asked for: health, a lag threshold. */
  unsatisfied: 6,
  interrupted: 130,
  /** SIGTERM, as shells count it. */
  terminated: 143,
} as const;

/** An error for the person at the terminal: what happened, what to do about it, and the command for that. */
export class CliError extends Error {
  override name = 'CliError';
  readonly exitCode: number;
  readonly code: string;
  readonly hint: string | undefined;
  /** A command to copy. */
  readonly next: string | undefined;

  constructor(exitCode: number, code: string, message: string, hint?: string, next?: string) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
    this.hint = hint;
    this.next = next;
  }

  /** Anything thrown: citty's argument errors are usage, the client's errors know what they are, the rest is ours. */
  static from(error: unknown): CliError {
    if (error instanceof CliError) return error;
    if (!(error instanceof Error)) return new CliError(EXIT.failure, 'FAILED', String(error));
    if (error.name === 'CLIError')
      return new CliError(EXIT.usage, 'USAGE', error.message, 'see milena --help');
    if (isConnectionLost(error))
      return new CliError(EXIT.unreachable, 'UNREACHABLE', error.message, UNREACHABLE_HINT, 'milena doctor');
    const { code, hint } = error as Error & { code?: unknown; hint?: unknown };
    if (typeof code !== 'string' || !('retriable' in error))
      return new CliError(EXIT.failure, 'FAILED', error.message);
    const { exitCode, next } = MEANINGS.find(({ pattern }) => pattern.test(code)) ?? {
      exitCode: EXIT.failure,
    };
    return new CliError(exitCode, code, error.message, typeof hint === 'string' ? hint : undefined, next);
  }

  text(): string {
    const lines = [`error[${this.code}]: ${this.message}`, this.hint, this.next];
    return lines.filter((line) => line !== undefined).join('\n  ');
  }

  /** With `--json`: a line of stderr. */
  toJSON(): object {
    const { code, message, hint = null, next = null, exitCode } = this;
    return { version: JSON_VERSION, error: { code, message, hint, next, exitCode } };
  }
}

const UNREACHABLE_HINT = 'is a broker running there? --url, a context or MILENA_URL say where';

/** Kafka's names, and the client's, by what they mean to a script. */
const MEANINGS: readonly { pattern: RegExp; exitCode: number; next?: string }[] = [
  { pattern: /^UNKNOWN_TOPIC/, exitCode: EXIT.notFound, next: 'milena topics ls' },
  { pattern: /^GROUP_ID_NOT_FOUND$/, exitCode: EXIT.notFound, next: 'milena groups ls' },
  { pattern: /_NOT_FOUND$/, exitCode: EXIT.notFound },
  { pattern: /_AUTHORIZATION_FAILED$|^SASL_|_AUTHENTICATION_/, exitCode: EXIT.unauthorised },
  {
    pattern: /TIMED_OUT|_TIMEOUT$|_NOT_AVAILABLE$|^NETWORK_EXCEPTION$|^NOT_ENOUGH_REPLICAS/,
    exitCode: EXIT.unreachable,
  },
  { pattern: /^INVALID_ARGUMENT$/, exitCode: EXIT.usage },
];

/** It, or what it came from. */
function isConnectionLost(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ConnectionLost' || isConnectionLost(error.cause));
}
