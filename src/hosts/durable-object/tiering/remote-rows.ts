import type { Millis, Offset } from '../../../model/ids.ts';
import { type RemoteSegment, RemoteSegmentState } from '../../../log/tiering/remote-segment.ts';
import type { SqlDatabase } from '../sql.ts';

/** A copy that is begun. */
export type NewRemote = Omit<RemoteSegment, 'id' | 'state' | 'isLocal'>;

type Row = {
  id: number;
  base: Offset;
  next: Offset;
  size: number;
  footer: number;
  maxTimestamp: Millis;
  firstTimestamp: Millis;
  digest: number;
  state: number;
  since: Millis;
  local: number;
  key: string;
};

const { copyStarted, copyFinished, deleteStarted } = RemoteSegmentState;

/** What of one log is in remote storage: in memory, each change stored at once. */
export class RemoteRows {
  readonly #sql: SqlDatabase['sql'];
  readonly #log: number;
  /** By where they begin. */
  #segments: RemoteSegment[];
  /** Where what is nowhere else ends: most readers are behind it. */
  #end: Offset | undefined;

  /** @param log its number. */
  constructor({ sql }: SqlDatabase, log: number) {
    this.#sql = sql;
    this.#log = log;
    const rows = sql
      .exec<Row>(
        `SELECT id, base, next, size, footer, maxTimestamp, firstTimestamp, digest, state, since, local, key
         FROM remote WHERE log = ? ORDER BY base, id`,
        log,
      )
      .toArray();
    this.#segments = rows.map(({ base, next, size, footer, since, local, ...row }) => ({
      ...row,
      baseOffset: base,
      nextOffset: next,
      sizeBytes: size,
      footerBytes: footer,
      sinceMs: since,
      isLocal: local === 1,
    }));
  }

  get all(): readonly RemoteSegment[] {
    return this.#segments;
  }

  /** Where what is nowhere else ends; 0 when nothing is. */
  get end(): Offset {
    this.#end ??= this.onlyRemote.at(-1)?.nextOffset ?? 0;
    return this.#end;
  }

  /** What is nowhere else, by offset. */
  get onlyRemote(): readonly RemoteSegment[] {
    return this.#segments.filter(({ state, isLocal }) => state === copyFinished && !isLocal);
  }

  /** The first one that holds `offset` or something behind it, and is nowhere else. */
  reaching(offset: Offset): RemoteSegment | undefined {
    if (offset >= this.end) return undefined;
    return this.#segments.find(
      ({ state, isLocal, nextOffset }) => state === copyFinished && !isLocal && nextOffset > offset,
    );
  }

  get(id: number): RemoteSegment | undefined {
    return this.#segments.find((segment) => segment.id === id);
  }

  add(place: NewRemote): RemoteSegment {
    const [newest] = this.#sql
      .exec<{ id: number }>('SELECT id FROM remote ORDER BY id DESC LIMIT 1')
      .toArray();
    const segment = { ...place, id: (newest?.id ?? 0) + 1, state: copyStarted, isLocal: true };
    this.#segments.push(segment);
    this.#segments.sort((a, b) => a.baseOffset - b.baseOffset || a.id - b.id);
    this.#put(segment);
    return segment;
  }

  set(id: number, change: Partial<Pick<RemoteSegment, 'state' | 'sinceMs' | 'isLocal'>>): void {
    const segment = this.get(id);
    if (segment === undefined) return;
    Object.assign(segment, change);
    this.#end = undefined;
    this.#put(segment);
  }

  remove(id: number): void {
    this.#segments = this.#segments.filter((segment) => segment.id !== id);
    this.#end = undefined;
    this.#sql.exec('DELETE FROM remote WHERE id = ?', id);
  }

  /** What these copies were made of has changed, or is gone: their objects go. */
  outdate(isOutdated: (segment: RemoteSegment) => boolean, nowMs: Millis): void {
    for (const segment of this.#segments)
      if (segment.state !== deleteStarted && isOutdated(segment))
        this.set(segment.id, { state: deleteStarted, sinceMs: nowMs });
  }

  deleteAll(): void {
    if (this.#segments.length === 0) return;
    this.#segments = [];
    this.#end = undefined;
    this.#sql.exec('DELETE FROM remote WHERE log = ?', this.#log);
  }

  #put(segment: RemoteSegment): void {
    const { id, baseOffset, nextOffset, sizeBytes, footerBytes } = segment;
    this.#sql.exec(
      `INSERT OR REPLACE INTO remote (
         id, log, base, next, size, footer, maxTimestamp, firstTimestamp, digest, state, since, local, key
       ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      this.#log,
      baseOffset,
      nextOffset,
      sizeBytes,
      footerBytes,
      segment.maxTimestamp,
      segment.firstTimestamp,
      segment.digest,
      segment.state,
      segment.sinceMs,
      segment.isLocal ? 1 : 0,
      segment.key,
    );
  }
}
