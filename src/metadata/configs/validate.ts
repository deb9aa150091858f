import { ErrorCode, KafkaError } from '../../model/errors.ts';
import { brokerConfigDefinition } from './broker-configs.ts';
import type { ConfigDefinition, ConfigTypeName, Rule } from './definitions.ts';
import type { ConfigLayers } from './effective.ts';
import { topicConfigDefinition } from './topic-configs.ts';
import { whyNotOnTopic } from './verdicts.ts';

/** Inclusive ends; `double` is bounded by its rules alone. */
const INTEGERS: Partial<Record<ConfigTypeName, readonly [bigint, bigint]>> = {
  short: [-(2n ** 15n), 2n ** 15n - 1n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
};
const INTEGER = /^[+-]?\d{1,19}$/;
/** A name of a rule that stands for many: `by_duration:PT1H`, Java's durations of days and less. */
const BY_DURATION = 'by_duration:<ISO-8601>';
const DURATION = /^by_duration:P(?=\d|T\d)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/i;
const DOUBLE = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Items of a list value, as Kafka cuts it: at commas, without the blanks around. */
export function listItems(value: string): string[] {
  const trimmed = value.trim();
  return trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim());
}

/**
 * Checks one value against its definition.
 * @throws {KafkaError} INVALID_CONFIG, with a message that says what was wanted.
 */
export function checkConfigValue(definition: ConfigDefinition, value: string): void {
  const problem = problemOf(definition, value.trim());
  if (problem === undefined) return;
  throw invalid(`Invalid value ${value.slice(0, 100)} for configuration ${definition.name}: ${problem}`);
}

/**
 * Checks all that is set on a topic, each value and the values together.
 * @param changed what of it is new, and so must be something that is kept to here; all unless given.
 * @throws {KafkaError} INVALID_CONFIG
 */
export function checkTopicConfigs(
  configs: ReadonlyMap<string, string>,
  { staticConfigs }: Pick<ConfigLayers, 'staticConfigs'>,
  changed: Iterable<string> = configs.keys(),
): void {
  for (const [name, value] of configs) {
    const definition = topicConfigDefinition(name);
    if (!definition) throw invalid(`Unknown topic config name: ${name.slice(0, 100)}`);
    checkConfigValue(definition, value);
  }
  const lagMin = BigInt(configs.get('min.compaction.lag.ms')?.trim() ?? 0);
  const lagMax = BigInt(configs.get('max.compaction.lag.ms')?.trim() ?? 2n ** 63n);
  if (lagMin > lagMax) {
    throw invalid(
      `conflict topic config setting min.compaction.lag.ms (${lagMin}) > max.compaction.lag.ms (${lagMax})`,
    );
  }
  for (const name of changed) {
    const value = configs.get(name);
    const why = value === undefined ? undefined : whyNotOnTopic(name, value, { staticConfigs });
    if (why !== undefined) throw invalid(`${name}=${value} is not kept to here: ${why}`);
  }
}

/**
 * Checks what a node is started with. Names Kafka does not have are let through, as Kafka does: plugins
 * have their own.
 * @throws {KafkaError} INVALID_CONFIG
 */
export function checkBrokerConfigs(configs: ReadonlyMap<string, string>): void {
  for (const [name, value] of configs) {
    const definition = brokerConfigDefinition(name);
    if (definition) checkConfigValue(definition, value);
  }
}

function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_CONFIG, message);
}

function problemOf({ type, rule }: ConfigDefinition, value: string): string | undefined {
  switch (type) {
    case 'boolean':
      return /^(true|false)$/i.test(value) ? undefined : 'Expected value to be either true or false';
    case 'short':
    case 'int':
    case 'long':
      return integerProblem(type, rule, value);
    case 'double':
      return DOUBLE.test(value) ? boundsProblem(rule, Number(value)) : 'Not a number of type DOUBLE';
    case 'list':
      return listProblem(rule, listItems(value));
    default:
      return nameProblem(rule, value);
  }
}

function integerProblem(type: ConfigTypeName, rule: Rule, value: string): string | undefined {
  const [min, max] = INTEGERS[type] ?? [0n, 0n];
  const number = INTEGER.test(value) ? BigInt(value.replace('+', '')) : undefined;
  if (number === undefined || number < min || number > max)
    return `Not a number of type ${type.toUpperCase()}`;
  return boundsProblem(rule, Number(number));
}

/** Rules hold small numbers, so what rounding a `long` does cannot matter. */
function boundsProblem(rule: Rule, value: number): string | undefined {
  if (rule === '') return undefined;
  const [bounds = '', except] = rule.split(' or ').toReversed();
  if (except !== undefined && value === Number(except)) return undefined;
  if (bounds.startsWith('>=')) {
    const least = Number(bounds.slice(2));
    return value >= least ? undefined : `Value must be at least ${least}`;
  }
  const [least, most] = bounds.split('..').map(Number);
  if (value < (least ?? value)) return `Value must be at least ${least}`;
  return value > (most ?? value) ? `Value must be no more than ${most}` : undefined;
}

function nameProblem(rule: Rule, value: string): string | undefined {
  if (rule === '') return undefined;
  const names = rule.split('|');
  const named = names.filter((name) => name !== '');
  const isDuration = names.includes(BY_DURATION) && DURATION.test(value);
  return names.includes(value) || isDuration ? undefined : `String must be one of: ${named.join(', ')}`;
}

function listProblem(rule: Rule, items: readonly string[]): string | undefined {
  if (rule === 'partition:broker') {
    const isThrottle = items.join() === '*' || items.every((item) => /^\d+:\d+$/.test(item));
    return isThrottle ? undefined : 'Must be the literal * or a list of replicas as partition:broker';
  }
  if (new Set(items).size < items.length) return 'List must not contain duplicate values';
  if (items.includes('')) return 'List must not contain empty values';
  return items.map((item) => nameProblem(rule, item)).find((problem) => problem !== undefined);
}
