import { ErrorCode, KafkaError } from '../model/errors.ts';

const NAME_LENGTH_MAX = 249;
const LEGAL = /^[a-zA-Z0-9._-]+$/;

/** @throws {KafkaError} INVALID_TOPIC_EXCEPTION unless `name` could be a topic's. */
export function checkTopicName(name: string): void {
  const problem = problemOf(name);
  if (problem) throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic name is invalid: ${problem}`);
}

export function isTopicName(name: string): boolean {
  return problemOf(name) === undefined;
}

function problemOf(name: string): string | undefined {
  if (name === '') return 'the empty string is not allowed';
  if (name === '.' || name === '..') return `'${name}' is not allowed`;
  if (name.length > NAME_LENGTH_MAX) {
    return `the length of '${name.slice(0, 40)}…' is longer than the max allowed length ${NAME_LENGTH_MAX}`;
  }
  if (LEGAL.test(name)) return undefined;
  return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
}

/** Names that differ only in `.` and `_` are one in Kafka's metric names, so the second is refused. */
export class NameCollisions {
  readonly #byMetricName = new Map<string, string>();

  constructor(names: Iterable<string>) {
    for (const name of names) this.add(name);
  }

  add(name: string): void {
    if (hasCollisionCharacter(name)) this.#byMetricName.set(metricName(name), name);
  }

  /** A name known here, other than `name`, that looks the same. */
  with(name: string): string | undefined {
    const other = hasCollisionCharacter(name) ? this.#byMetricName.get(metricName(name)) : undefined;
    return other === name ? undefined : other;
  }
}

function hasCollisionCharacter(name: string): boolean {
  return name.includes('.') || name.includes('_');
}

function metricName(name: string): string {
  return name.replaceAll('.', '_');
}
