import { CliError, EXIT } from './errors.ts';
import { processOnPort } from './process-on-port.ts';

/** How a command calls what can be chosen otherwise. */
interface StartOptions {
  port: string;
  httpPort: string;
  host: string;
}

/** What was to be started. */
interface Started {
  port: number;
  httpPort: number;
  directory?: string | undefined;
  options?: StartOptions;
}

const DEV_OPTIONS: StartOptions = { port: '--port', httpPort: '--http-port', host: '--host' };

/** Turns what stopped a start into what happened and what to do next. */
export function explainStart(
  error: unknown,
  { port, httpPort, directory = '', options = DEV_OPTIONS }: Started,
): CliError {
  if (!(error instanceof Error)) return CliError.from(error);
  if (error.name === 'MetadataNotServed')
    return new CliError(
      EXIT.failure,
      'METADATA',
      error.message,
      `its topics can be read all the same: milena export --data ${directory} TOPIC`,
    );
  const { code, port: failedPort } = error as NodeJS.ErrnoException & { port?: number };
  switch (code) {
    case 'EADDRINUSE': {
      const option = failedPort === httpPort ? options.httpPort : options.port;
      const taken = failedPort ?? port;
      const by = processOnPort(taken);
      return new CliError(
        EXIT.failure,
        'PORT_IN_USE',
        `port ${taken} is taken${by === undefined ? '' : ` by ${by}`}`,
        `choose another with ${option}; port 0 picks a free one`,
      );
    }
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new CliError(
        EXIT.failure,
        'NO_SUCH_ADDRESS',
        error.message,
        `choose an address of this machine with ${options.host}; 0.0.0.0 is all of them`,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return new CliError(
        EXIT.failure,
        'DISK_FULL',
        `${directory}: ${error.message}`,
        'make room and start again: what was acknowledged is still there',
      );
    case 'EROFS':
    case 'EACCES':
      return new CliError(
        EXIT.failure,
        'NOT_ALLOWED',
        error.message,
        'check who may write there, or choose another with --data',
      );
    case 'EEXIST':
    case 'ENOTDIR':
    case 'ENOENT':
      return new CliError(
        EXIT.failure,
        'NO_DIRECTORY',
        `${directory} is no directory and cannot be made one: ${error.message}`,
        'choose another with --data',
      );
    default:
      return CliError.from(error);
  }
}
