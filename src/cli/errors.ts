/** Exit codes of the command line; a script may rely on them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  unreachable: 5,
  unsatisfied: 6,
  interrupted: 130,
} as const;

/** An error for the person at the terminal: what happened, and what to do next. */
export class CliError extends Error {
  override name = 'CliError';
  readonly exitCode: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(exitCode: number, code: string, message: string, hint?: string) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
    this.hint = hint;
  }

  /** Anything thrown: citty's argument errors are usage, the rest is a failure of ours. */
  static from(error: unknown): CliError {
    if (!(error instanceof Error)) return new CliError(EXIT.failure, 'FAILED', String(error));
    if (error.name === 'CLIError')
      return new CliError(EXIT.usage, 'USAGE', error.message, 'see milena --help');
    if (isConnectionLost(error))
      return new CliError(
        EXIT.unreachable,
        'UNREACHABLE',
        error.message,
        'is a broker running there? see --broker',
      );
    return new CliError(EXIT.failure, 'FAILED', error.message);
  }

  text(): string {
    return `error[${this.code}]: ${this.message}${this.hint === undefined ? '' : `\n  ${this.hint}`}`;
  }
}

/** It, or what it came from. */
function isConnectionLost(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ConnectionLost' || isConnectionLost(error.cause));
}
