import type {
  Answer,
  Ask,
  Decision,
  Machine,
  MachineRecord,
  TransactionEnd,
} from '../../src/model/machine.ts';
import { codecOf } from '../../src/wire/codec.ts';
import { Reader } from '../../src/wire/reader.ts';
import type { Api, RequestInitOf, RequestOf, ResponseOf } from '../../src/wire/schema.ts';
import { Writer } from '../../src/wire/writer.ts';

export interface Asking {
  client: string;
  version?: number;
  link?: number;
  /** What the gateway does to a decoded request: it names topics that came by id. */
  prepare?: (body: unknown) => void;
}

/** A marker has no key. */
export interface LogEntry extends MachineRecord {
  readonly end?: TransactionEnd;
}

/** What a shard does with a log that it loads. */
export function replay(machine: Machine, entries: Iterable<LogEntry>, nowMs: number): void {
  let offset = 0;
  for (const entry of entries) {
    if (entry.end === undefined) machine.apply(entry, nowMs, offset++);
    else machine.endTransaction?.(entry.end, nowMs);
  }
}

/**
 * A machine with a shard's duties: it applies what is decided, keeps the log, and gives each answer to who
 * asked. Requests and replies pass through the codec, so that each is what a client of that version would
 * see.
 */
export class MachineHost<M extends Machine> {
  readonly log: LogEntry[] = [];
  /** What the machine has asked of other shards and has not been answered. */
  readonly asks: Ask[] = [];
  readonly #create: () => M;
  readonly #asked = new Map<number, { api: Api; version: number; take: (body: unknown) => void }>();
  machine: M;
  nowMs = 0;
  #correlationId = 0;

  constructor(create: () => M) {
    this.#create = create;
    this.machine = create();
  }

  /** Records and replies of one request, in order; `take` gets the reply, now or when it comes. */
  send<A extends Api>(
    api: A,
    body: RequestInitOf<A>,
    { client, version = api.versions.max, link = 1, prepare }: Asking,
    take: (reply: ResponseOf<A>) => void,
  ): MachineRecord[] {
    const correlationId = ++this.#correlationId;
    this.#asked.set(correlationId, { api, version, take: (reply) => take(reply as ResponseOf<A>) });
    const request = {
      from: { link, correlationId },
      caller: { principal: 'User:ANONYMOUS', clientId: client, clientHost: '/127.0.0.1' },
      apiKey: api.key,
      apiVersion: version,
      body: throughWire<RequestOf<A>>(api, api.request, version, body),
    };
    prepare?.(request.body);
    return this.perform(this.machine.decide(request, this.nowMs));
  }

  /** The reply, for a request that is answered at once. */
  ask<A extends Api>(api: A, body: RequestInitOf<A>, asking: Asking): ResponseOf<A> {
    let reply: ResponseOf<A> | undefined;
    this.send(api, body, asking, (answer) => (reply = answer));
    if (reply === undefined) throw new Error(`${api.name} was not answered`);
    return reply;
  }

  /** Another shard answers; what is not taken stays asked. */
  answer(ask: Ask, answer: Answer): MachineRecord[] {
    const decision = this.machine.answered?.(ask, answer, this.nowMs) ?? 'again';
    if (decision === 'again') return [];
    this.asks.splice(this.asks.indexOf(ask), 1);
    return this.perform(decision);
  }

  /** A coordinator of transactions has its marker written. */
  mark(end: TransactionEnd): void {
    this.log.push({ key: null, value: null, end });
    this.machine.endTransaction?.(end, this.nowMs);
  }

  /** Time passes up to `untilMs`; `onTick` sees the records each due tick wrote. */
  pass(untilMs: number, onTick?: (atMs: number, records: MachineRecord[]) => void): void {
    while (this.machine.wakeAtMs <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.machine.wakeAtMs);
      const records = this.perform(this.machine.tick(this.nowMs));
      onTick?.(this.nowMs, records);
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** Crashes: what is not in the log is gone. */
  reload(entries: Iterable<LogEntry> = this.log): void {
    this.#asked.clear();
    this.asks.length = 0;
    this.machine = this.#create();
    replay(this.machine, entries, this.nowMs);
    const resumed = this.machine.resume?.(this.nowMs);
    if (resumed !== undefined) this.perform(resumed);
  }

  get waitingCount(): number {
    return this.#asked.size;
  }

  perform({ records, replies, asks }: Decision): MachineRecord[] {
    for (const record of records) {
      const offset = this.log.push(record) - 1;
      this.machine.apply(record, this.nowMs, offset);
    }
    for (const { to, body } of replies) {
      const asked = this.#asked.get(to.correlationId);
      if (!asked)
        throw new Error(`request ${to.correlationId} was answered twice, or by a machine that is gone`);
      this.#asked.delete(to.correlationId);
      asked.take(throughWire(asked.api, asked.api.response, asked.version, body));
    }
    this.asks.push(...(asks ?? []));
    return [...records];
  }
}

const writer = new Writer();

function throughWire<Body>(api: Api, fields: Api['request'], version: number, body: unknown): Body {
  const codec = codecOf(api, fields, version);
  codec.write(writer.start(false), body);
  const reader = new Reader(writer.finish());
  const decoded = codec.read(reader) as Body;
  reader.end();
  return decoded;
}

/** Of records, one line each, in no order: those of one key may stand anywhere. */
export function printed(records: Iterable<MachineRecord>): string[] {
  const hex = (part: Uint8Array | null) => (part === null ? '-' : Buffer.from(part).toString('hex'));
  const whose = (record: MachineRecord) => Object.values(record.producer ?? {}).join('/');
  return [...records].map((record) => `${hex(record.key)} ${hex(record.value)} ${whose(record)}`).sort();
}
