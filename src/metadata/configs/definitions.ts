/**
 * What a setting is, read from one line of a table. Source of the facts: Kafka 4.3's configuration classes.
 */

/** Numbers as in DescribeConfigs v3+. */
export const ConfigType = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
} as const;
export type ConfigTypeName = keyof typeof ConfigType;

/** Where a value was set, as in DescribeConfigs v1+. */
export const ConfigSource = {
  DYNAMIC_TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  CLIENT_METRICS: 7,
  GROUP: 8,
} as const;

/** `'>=1'`, `'0..100'`, `'-1 or 1..9'` for numbers; `'a|b'` for names, of a list each item; `''` takes all.
 * `'partition:broker'`: throttled replicas. */
export type Rule = string;

export interface ConfigDefinition {
  readonly name: string;
  readonly type: ConfigTypeName;
  /** Null when there is none. */
  readonly defaultValue: string | null;
  readonly rule: Rule;
  /** May be changed while the broker runs. */
  readonly dynamic: boolean;
  readonly documentation: string;
}

/** A password is never shown. */
export function isSensitive(definition: ConfigDefinition): boolean {
  return definition.type === 'password';
}
