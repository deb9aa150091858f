import { AclOperation, AclResource } from './acl.ts';

/** Topics that a ticket is for, and what may be done with them. */
export interface ScopedTopic {
  /** A name, or with a `*` at its end all that begin so. */
  readonly topic: string;
  readonly operations: readonly ('read' | 'write')[];
  /** Of its records those alone whose keys begin so; left out, all. */
  readonly keyPrefix?: string;
}

const { READ, WRITE, DESCRIBE, IDEMPOTENT_WRITE } = AclOperation;
const READS: ReadonlySet<number> = new Set([READ, DESCRIBE]);
const WRITES: ReadonlySet<number> = new Set([WRITE, DESCRIBE]);

/** What a ticket is good for, beside what its principal may: topics, and of the cluster what producers need. */
export class Scope {
  readonly topics: readonly ScopedTopic[];

  constructor(topics: readonly ScopedTopic[]) {
    this.topics = topics;
  }

  allows(operation: number, resourceType: number, name: string): boolean {
    if (resourceType === AclResource.TOPIC)
      return this.topics.some((scoped) => isOf(scoped, name) && permits(scoped, operation));
    return resourceType === AclResource.CLUSTER && operation === IDEMPOTENT_WRITE && this.allowsAny(WRITE);
  }

  /** What keys of a topic's records have to begin with, one of them; undefined: with anything. */
  keyPrefixes(operation: number, name: string): readonly string[] | undefined {
    const mine = this.topics.filter((scoped) => isOf(scoped, name) && permits(scoped, operation));
    const prefixes = mine.flatMap(({ keyPrefix }) => keyPrefix ?? []);
    return mine.length > 0 && prefixes.length === mine.length ? prefixes : undefined;
  }

  /** Something of it is limited to keys. */
  get isByKey(): boolean {
    return this.topics.some(({ keyPrefix }) => keyPrefix !== undefined);
  }

  allowsAny(operation: number): boolean {
    return this.topics.some((scoped) => permits(scoped, operation));
  }
}

function isOf({ topic }: ScopedTopic, name: string): boolean {
  return topic.endsWith('*') ? name.startsWith(topic.slice(0, -1)) : topic === name;
}

function permits({ operations }: ScopedTopic, operation: number): boolean {
  return (
    (operations.includes('read') && READS.has(operation)) ||
    (operations.includes('write') && WRITES.has(operation))
  );
}

/** As a ticket has it, or whoever asks for one. @throws Error for people */
export function scopedTopicsIn(given: unknown): ScopedTopic[] {
  if (!Array.isArray(given) || given.length === 0 || given.length > TOPICS_MAX)
    throw new Error(`"topics" is a list of 1 to ${TOPICS_MAX} of { topic, operations }`);
  return given.map((each: unknown) => {
    const { topic, operations, keyPrefix } = (each ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof topic !== 'string' || !/^[\w.-]{0,249}\*?$/.test(topic) || topic === '')
      throw new Error('"topic" is a name, or the beginning of names with a * behind it');
    const isKnown = (operation: unknown) => operation === 'read' || operation === 'write';
    if (!Array.isArray(operations) || operations.length === 0 || !operations.every(isKnown))
      throw new Error('"operations" are read, write, or both');
    if (keyPrefix === undefined) return { topic, operations } as ScopedTopic;
    if (typeof keyPrefix !== 'string' || keyPrefix === '' || keyPrefix.length > KEY_PREFIX_MAX)
      throw new Error(`"keyPrefix" is how keys begin, of at most ${KEY_PREFIX_MAX} characters`);
    return { topic, operations, keyPrefix } as ScopedTopic;
  });
}

const TOPICS_MAX = 100;
const KEY_PREFIX_MAX = 256;
