/** What the client itself says, beside Kafka's names. */
export type ClientErrorCode =
  /** The broker cannot be reached, or went away: what was asked may have been done or not. */
  | 'CONNECTION_LOST'
  /** Over TLS: who answers is nobody that is trusted, or somebody else. Nothing was sent. */
  | 'CERTIFICATE_REFUSED'
  /** A part of the client could not be fetched. Nothing was done. */
  | 'NOT_LOADED'
  /** It was closed here. */
  | 'CLOSED'
  /** A record was not acknowledged in time: stored or not, nobody knows. */
  | 'DELIVERY_TIMEOUT'
  /** Larger than a request may be. Nothing was sent. */
  | 'RECORD_TOO_LARGE'
  /** As much waits to be sent as may. Nothing of this was sent. */
  | 'BUFFER_FULL'
  /** A consumer does not have it any more: why its records' signals are aborted. */
  | 'PARTITION_LOST'
  /** Not what its topic says. */
  | 'INVALID_RECORD_KEY'
  | 'INVALID_RECORD_VALUE'
  /** Not a URL, an option, a record or a partition that can be. Nothing was sent. */
  | 'INVALID_ARGUMENT';

export interface ErrorFacts {
  /** One of ours, or Kafka's name for it: `TOPIC_AUTHORIZATION_FAILED`. */
  code: ClientErrorCode | (string & {});
  /** Whether trying again later may help. What a call retries is retried already when its error comes out. */
  retriable?: boolean;
  /** What to do next, for people. */
  hint?: string | undefined;
  cause?: unknown;
}

/** All that the client throws of its own. An aborted call throws what its signal says. */
export class MilenaError extends Error {
  override name = 'MilenaError';
  readonly code: ErrorFacts['code'];
  readonly retriable: boolean;
  readonly hint: string | undefined;

  constructor(message: string, { code, retriable = false, hint, cause }: ErrorFacts) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retriable = retriable;
    this.hint = hint;
  }
}
