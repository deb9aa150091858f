import { Broker } from './broker.ts';

/** Where clients find a listener. */
export interface Listening {
  host: string;
  port: number;
}

export interface StartOptions {
  /** Data directory, made when it is not there; left out, everything is in memory and gone with the broker. */
  directory?: string;
  /** Address to listen on; 127.0.0.1 unless given. */
  host?: string;
  /** Kafka's port; 0, the default, picks a free one. */
  port?: number;
  /** Port of `/kafka` (WebSocket), `/metrics`, `/livez` and `/readyz`; 0 picks a free one. Left out, there is none. */
  httpPort?: number;
  /** Origins of web pages that may use the broker over WebSocket: `https://app.example.com`; `*` is any page. */
  allowedOrigins?: readonly string[];
  /** `always`, the default: an ack means flushed. `never`: handed to the operating system (Kafka's own rule). */
  flush?: 'always' | 'never';
  /** Broker settings by Kafka's names, as in server.properties. */
  settings?: Readonly<Record<string, string>>;
}

export interface RunningBroker extends AsyncDisposable {
  readonly kafka: Listening;
  /** Undefined without `httpPort`. */
  readonly http: Listening | undefined;
  /** Answers what is being worked on, at most `timeoutMs` (5,000) long, writes everything and lets go. Idempotent. */
  close(options?: { timeoutMs?: number }): Promise<void>;
}

/**
 * Starts a broker in this process; resolves when clients can connect.
 * @throws {Error} with a message for people: a port in use, a directory that is locked or not Milena's, a bad setting.
 */
export async function startBroker({ settings = {}, ...options }: StartOptions = {}): Promise<RunningBroker> {
  const broker = await Broker.start({ ...options, settings: new Map(Object.entries(settings)) });
  return {
    kafka: broker.kafka,
    http: broker.http,
    close: (closing) => broker.close(closing),
    [Symbol.asyncDispose]: () => broker.close(),
  };
}
