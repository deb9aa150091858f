import type { MachineRecord } from '../model/machine.ts';
import { encodeMessage, readMessage } from '../wire/codec.ts';
import { typed } from '../wire/coordinator-record.ts';
import type { Reader } from '../wire/reader.ts';
import { type Message, message } from '../wire/schema.ts';

/** A record of a group, as the machine speaks of it; beside these it has what its key says. */
interface GroupRecord {
  readonly type: string;
  readonly group: string;
  /** Null is a tombstone. */
  readonly value: object | null;
}

/** How one type of record is written in `__consumer_offsets`. */
interface Kind {
  readonly keyType: number;
  readonly key: Message;
  readonly value: Message;
}

/** The records of one protocol of groups, to and from bytes. */
export class RecordKinds<R extends GroupRecord> {
  readonly #kinds: Readonly<Record<R['type'], Kind>>;
  readonly #types: ReadonlyMap<number, R['type']>;

  constructor(kinds: Readonly<Record<R['type'], Kind>>) {
    this.#kinds = kinds;
    const all = Object.entries<Kind>(kinds);
    this.#types = new Map(all.map(([type, { keyType }]) => [keyType, type as R['type']]));
  }

  encode(record: R): MachineRecord {
    const { keyType, key, value }: Kind = this.#kinds[record.type as R['type']];
    const encodedKey = typed(keyType, encodeMessage<Message>(key, 0, record as never));
    if (record.value === null) return { key: encodedKey, value: null };
    return { key: encodedKey, value: typed(0, encodeMessage<Message>(value, 0, record.value as never)) };
  }

  /**
   * Undefined when `keyType` is none of these.
   * @param keyReader behind the type.
   * @param valueReader undefined for a tombstone.
   */
  read(keyType: number, keyReader: Reader, valueReader: Reader | undefined): R | undefined {
    const type = this.#types.get(keyType);
    if (type === undefined) return undefined;
    const kind: Kind = this.#kinds[type];
    const said = readMessage<Message>(kind.key, 0, keyReader);
    const value = valueReader && readMessage<Message>(kind.value, valueReader.int16(), valueReader);
    return { type, ...said, value: value ?? null } as unknown as R;
  }
}

export function valueMessage<const F extends Message['fields']>(name: string, fields: F): Message<F> {
  return message({ name, versions: '0', flexible: '0+', fields });
}

export function keyMessage<const F extends Message['fields']>(name: string, fields: F): Message<F> {
  return message({ name, versions: '0', flexible: 'none', fields });
}
