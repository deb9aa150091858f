import { isSensitive } from '../../metadata/configs/definitions.ts';
import { checkConfigValue, listItems } from '../../metadata/configs/validate.ts';
import { KafkaError } from '../../model/errors.ts';
import type { GatewayLimits } from '../../model/limits.ts';
import type { ListenerOptions } from '../../hosts/node/listeners.ts';
import { securityProblems } from '../../hosts/node/security/check.ts';
import type { SecurityProtocol } from '../../hosts/node/security/doors.ts';
import type { LogFormat, LogLevel } from '../../hosts/node/logger.ts';
import {
  advertisedOf,
  isSecurityProtocol,
  type Endpoint,
  type ListenerSettings,
  listenersOf,
  parseAddress,
} from './listeners.ts';
import { originsIn } from '../options.ts';
import { limitsFrom, SETTINGS, settingOf, verdictOf } from './settings.ts';
import type { Gathered, Given, Problem } from './sources.ts';

/** All that a production node is told. */
export interface NodeConfig {
  nodeId: number;
  directory: string;
  /** The first listener. */
  kafka: Endpoint;
  listeners: readonly ListenerOptions[];
  /** Of the first listener. */
  advertised: Endpoint | undefined;
  http: Endpoint | undefined;
  /** What the HTTP port speaks; undefined: as the first listener. */
  httpProtocol: SecurityProtocol | undefined;
  /** Web pages that may use the broker over WebSocket; `*` is any. */
  allowedOrigins: readonly string[];
  audit: 'all' | 'denied' | 'none';
  telemetryEndpoint: string | undefined;
  ticketLifetimeMs: number;
  flush: 'always' | 'never';
  limits: Partial<GatewayLimits>;
  log: { level: LogLevel; format: LogFormat };
  shutdownTimeoutMs: number;
  /** Kafka's settings, as given: the broker shows them and obeys them. */
  settings: ReadonlyMap<string, string>;
}

/** A setting in force. */
export interface Effective {
  key: string;
  /** Null when it has none. */
  value: string | null;
  source: string;
}

export interface Resolved {
  /** Undefined when there are problems. */
  config: NodeConfig | undefined;
  /** What is obeyed, ascending by name. */
  effective: Effective[];
  /** What was given and stays without effect. */
  inert: Problem[];
  problems: Problem[];
}

/** Said by Kafka's names, or by their own places in {@link NodeConfig}. */
const ELSEWHERE = new Set(['node.id', 'listeners', 'log.dirs']);
const MASK = '********';

/** Puts the sources over each other, the last the strongest, and checks all of it at once. */
export function resolveConfig(gathered: readonly Gathered[]): Resolved {
  const problems = gathered.flatMap((each) => each.problems);
  const strongest = new Map<string, Given>();
  for (const { given } of gathered) for (const each of given) strongest.set(each.key, each);
  const inert: Problem[] = [];
  const bad = new Set<string>();
  for (const each of strongest.values()) {
    const value = normal(each);
    const problem = valueProblem({ ...each, value });
    const verdict =
      problem === undefined ? verdictOf(each.key, value) : { type: 'refused' as const, why: problem };
    const said = {
      source: each.source,
      message: `${shownPair(each)}: ${'why' in verdict ? verdict.why : ''}`,
    };
    if (verdict.type === 'refused') {
      problems.push(said);
      bad.add(each.key);
    }
    if (verdict.type === 'inert') inert.push(said);
    strongest.set(each.key, { ...each, value });
  }
  const reading = new Reading(strongest, bad);
  const config = reading.config();
  problems.push(...reading.problems);
  inert.push(...reading.inert);
  return {
    config: problems.length === 0 ? config : undefined,
    effective: reading.effective(),
    inert,
    problems,
  };
}

function normal({ key, value }: Given): string {
  return settingOf(key)?.type === 'boolean' ? value.trim().toLowerCase() : value.trim();
}

function valueProblem({ key, value }: Given): string | undefined {
  const definition = settingOf(key);
  if (definition === undefined) return undefined;
  try {
    checkConfigValue(definition, value);
    return undefined;
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    return error.message.replace(/^[^]*? for configuration [\w.]+: /, '');
  }
}

function shownPair({ key, value }: Pick<Given, 'key' | 'value'>): string {
  return `${key}=${shownValue(key, value)}`;
}

/** A secret is named, never shown. */
export function shownValue(key: string, value: string): string {
  const definition = settingOf(key);
  return definition !== undefined && isSensitive(definition) ? MASK : value.slice(0, 100);
}

/** The checked values, and what only shows when several are read together. */
class Reading {
  readonly problems: Problem[] = [];
  readonly inert: Problem[] = [];
  readonly #given: ReadonlyMap<string, Given>;
  /** Names that have been complained of: not a second time. */
  readonly #bad: ReadonlySet<string>;

  constructor(given: ReadonlyMap<string, Given>, bad: ReadonlySet<string>) {
    this.#given = given;
    this.#bad = bad;
  }

  effective(): Effective[] {
    return SETTINGS.map(({ name, defaultValue }) => {
      const given = this.#given.get(name);
      if (given !== undefined)
        return { key: name, value: shownValue(name, given.value), source: given.source };
      return { key: name, value: defaultValue, source: 'default' };
    });
  }

  config(): NodeConfig {
    const listeners = this.#listenerSettings();
    const opened = this.#read('listeners', () => listenersOf(listeners));
    for (const closed of opened?.closed ?? [])
      this.#say(this.inert, 'listeners', `${closed} is not opened: this node is its only controller`);
    const advertised = this.#read('advertised.listeners', () => advertisedOf(listeners));
    const open = opened?.open.map((each) => ({ ...each, advertised: advertised?.get(each.name) })) ?? [];
    const http = this.#read('milena.http.listener', () => this.#http());
    const limits = this.#limits();
    this.#sessions();
    if (opened !== undefined) this.#security([...open.map(({ protocol }) => protocol), http?.protocol]);
    const [kafka] = open;
    return {
      nodeId: this.#number('node.id'),
      directory: this.#read('log.dirs', () => this.#directory()) ?? '',
      kafka: { host: kafka?.host ?? '', port: kafka?.port ?? 0 },
      listeners: open,
      advertised: kafka?.advertised,
      http: http && { host: http.host, port: http.port },
      httpProtocol: http?.protocol,
      allowedOrigins: this.#read('milena.http.allowed.origins', () => this.#origins()) ?? [],
      audit: this.#value('milena.audit') as NodeConfig['audit'],
      telemetryEndpoint: this.#read('milena.telemetry.otlp.endpoint', () => this.#telemetryEndpoint()),
      ticketLifetimeMs: this.#number('milena.ticket.lifetime.ms'),
      flush: this.#value('milena.flush') as NodeConfig['flush'],
      limits,
      log: {
        level: this.#value('milena.log.level') as LogLevel,
        format: this.#value('milena.log.format') as LogFormat,
      },
      shutdownTimeoutMs: this.#number('milena.shutdown.timeout.ms'),
      settings: this.#settings(),
    };
  }

  #telemetryEndpoint(): string | undefined {
    const text = this.#value('milena.telemetry.otlp.endpoint');
    if (text === '') return undefined;
    if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
      throw new Error(`"${text}" is no address: write http://127.0.0.1:4318/v1/metrics`);
    return text;
  }

  #value(name: string): string {
    return this.#given.get(name)?.value ?? settingOf(name)?.defaultValue ?? '';
  }

  #number(name: string): number {
    return Number(this.#value(name));
  }

  /** The result of `read`; undefined, and a problem, when it throws one. */
  #read<T>(name: string, read: () => T): T | undefined {
    if (this.#bad.has(name)) return undefined;
    try {
      return read();
    } catch (error) {
      this.#say(this.problems, name, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #say(list: Problem[], name: string, message: string): void {
    const given = this.#given.get(name);
    list.push({
      source: given?.source ?? 'default',
      message: `${shownPair({ key: name, value: this.#value(name) })}: ${message}`,
    });
  }

  #listenerSettings(): ListenerSettings {
    const protocols = this.#value('listener.security.protocol.map').split(',');
    return {
      listeners: this.#value('listeners'),
      advertised: this.#given.get('advertised.listeners')?.value,
      controllerNames: listItems(this.#value('controller.listener.names')).map((name) => name.toUpperCase()),
      protocols: new Map(
        protocols.map((pair) => {
          const [name = '', protocol = ''] = pair.split(':');
          return [name.trim().toUpperCase(), protocol.trim()];
        }),
      ),
    };
  }

  #directory(): string {
    const directories = listItems(this.#value('log.dirs'));
    const [directory] = directories;
    if (directory === undefined) throw new Error('where to keep the log is for you to say (--data DIR)');
    if (directories.length > 1) throw new Error('one directory is used, not several');
    return directory;
  }

  #http(): (Endpoint & { protocol: SecurityProtocol | undefined }) | undefined {
    const text = this.#value('milena.http.listener');
    if (text === 'none') return undefined;
    const [, protocol, rest = text] = /^([A-Z_]+):\/\/(.*)$/.exec(text) ?? [];
    const address = parseAddress(rest);
    const isKnown = protocol === undefined || isSecurityProtocol(protocol);
    if (address === undefined || !isKnown)
      throw new Error('write host:port, or none; SSL:// or the like before it says what is spoken');
    return { ...address, protocol };
  }

  #security(protocols: readonly (SecurityProtocol | undefined)[]): void {
    const spoken = protocols.filter((protocol) => protocol !== undefined);
    for (const { setting, message } of securityProblems(spoken, this.#settings()))
      if (!this.#bad.has(setting)) this.#say(this.problems, setting, message);
  }

  #origins(): string[] {
    const name = 'milena.http.allowed.origins';
    return originsIn(name, this.#value(name));
  }

  #limits(): Partial<GatewayLimits> {
    const requestMaxBytes = this.#number('socket.request.max.bytes');
    if (this.#number('milena.unfinished.bytes.max') <= requestMaxBytes)
      this.#say(
        this.problems,
        'milena.unfinished.bytes.max',
        `must be above socket.request.max.bytes (${requestMaxBytes}): one largest request has to fit`,
      );
    return limitsFrom((name) => this.#value(name));
  }

  #sessions(): void {
    const least = this.#number('group.min.session.timeout.ms');
    const most = this.#number('group.max.session.timeout.ms');
    if (least > most)
      this.#say(
        this.problems,
        'group.min.session.timeout.ms',
        `is above group.max.session.timeout.ms (${most})`,
      );
  }

  #settings(): ReadonlyMap<string, string> {
    const kafka = [...this.#given.values()].filter(
      ({ key }) => !key.startsWith('milena.') && !ELSEWHERE.has(key),
    );
    return new Map(kafka.map(({ key, value }) => [key, value]));
  }
}
