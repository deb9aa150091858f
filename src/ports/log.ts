import type { Offset } from '../model/ids.ts';

/** What a line is about. Never payloads, keys of records, or credentials. */
export interface LogFields {
  /** The part that speaks: `broker`, `store`, `gateway`, `group`, `shard`. */
  component?: string;
  node?: number;
  topic?: string;
  partition?: number;
  offset?: Offset;
  correlationId?: number;
  /** A client's address and, where known, its id. */
  client?: string;
  err?: unknown;
  readonly [other: string]: unknown;
}

/** Where operators read what happens. Never throws, never waits. */
export interface Log {
  /** Absent when nobody reads it: `log.debug?.(…)` then costs nothing, arguments included. */
  debug?: ((msg: string, fields?: LogFields) => void) | undefined;
  info: (msg: string, fields?: LogFields) => void;
  warn: (msg: string, fields?: LogFields) => void;
  error: (msg: string, fields?: LogFields) => void;
}
