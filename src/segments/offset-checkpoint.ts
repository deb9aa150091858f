import type { LogKey, Offset } from '../model/ids.ts';
import { logKey } from '../model/ids.ts';
import type { Files } from '../ports/files.ts';
import { readAgain } from '../ports/read-again.ts';
import type { LogName } from '../ports/log-store.ts';
import { replaceFile } from './atomic-file.ts';
import { bytesOf, logDirectory, text } from './layout.ts';

const VERSION = '0';

/** One of Kafka's files with an offset a log, for all logs of a data directory: "topic partition offset" lines. */
export class OffsetCheckpoint {
  readonly #files: Files;
  readonly #directory: string;
  readonly #path: string;
  readonly #warn: (message: string) => void;
  readonly #offsets = new Map<LogKey, { name: LogName; offset: Offset }>();
  #saving: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(place: { files: Files; directory: string; name: string; warn: (message: string) => void }) {
    this.#files = place.files;
    this.#path = `${place.directory}/${place.name}`;
    this.#directory = place.directory;
    this.#warn = place.warn;
  }

  /**
   * Reads what the file says about `logs`; lines about others go at once, lest a name's next log gets them.
   * @returns false when it is damaged: it might have said more.
   */
  async load(logs: Iterable<LogName>): Promise<boolean> {
    const lines = await readAgain(async () =>
      parseLines((await this.#files.readFile(this.#path)) ?? new Uint8Array(0)),
    );
    if (!lines) {
      this.#warn(`${this.#path} is damaged: what it says is not believed`);
      return false;
    }
    let known = 0;
    for (const name of logs) {
      const offset = lines.get(logDirectory(name));
      if (offset === undefined) continue;
      this.set(name, offset);
      known++;
    }
    if (known < lines.size) await this.save();
    return true;
  }

  get(log: LogKey): Offset | undefined {
    return this.#offsets.get(log)?.offset;
  }

  /** In memory; durable with the next `save`. */
  set(name: LogName, offset: Offset): void {
    this.#offsets.set(logKey(name.topicId, name.partition), { name, offset });
  }

  /**
   * Forgets what was set for this very log: `name` is compared by identity, for a new log of the same key may have
   * come before the old one was gone. @returns whether there was one. In memory; durable with the next `save`.
   */
  delete(name: LogName): boolean {
    const key = logKey(name.topicId, name.partition);
    return this.#offsets.get(key)?.name === name && this.#offsets.delete(key);
  }

  /** Makes all that was set before this call durable. Calls made while one runs share the next. */
  save(): Promise<void> {
    if (this.#next) return this.#next;
    if (!this.#saving) return this.#start();
    const after = () => this.#start();
    return (this.#next = this.#saving.then(after, after));
  }

  #start(): Promise<void> {
    this.#next = undefined;
    const saving = this.#write().finally(() => {
      if (this.#saving === saving) this.#saving = undefined;
    });
    this.#saving = saving;
    return saving;
  }

  async #write(): Promise<void> {
    let content = `${VERSION}\n${this.#offsets.size}\n`;
    for (const { name, offset } of this.#offsets.values())
      content += `${name.topic} ${name.partition} ${offset}\n`;
    await replaceFile(this.#files, this.#path, bytesOf(content));
    await this.#files.flushDirectory(this.#directory);
  }
}

/** Offsets by log directory; undefined when the file is not one we know. Kafka makes it empty at first. */
export function parseLines(content: Uint8Array): Map<string, Offset> | undefined {
  const offsets = new Map<string, Offset>();
  if (content.length === 0) return offsets;
  const [version, count, ...lines] = text(content).trimEnd().split('\n');
  if (version !== VERSION || Number(count) !== lines.length) return undefined;
  for (const line of lines) {
    const [, topic, partition, offset] = /^(\S+) (\d+) (\d{1,16})$/.exec(line) ?? [];
    if (offset === undefined || !Number.isSafeInteger(Number(offset))) return undefined;
    offsets.set(`${topic}-${partition}`, Number(offset));
  }
  return offsets;
}
