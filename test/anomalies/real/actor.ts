import type { Client } from '../../../src/client/client.ts';
import { connect } from '../../../src/hosts/node/connect.ts';
import type { Operation, Recorder, Send } from '../../../src/hosts/sim/anomalies/history.ts';
import type { SeededRandom } from '../../support/random.ts';

/** Partitions of a topic are keys of the history. */
export function keyOf(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

export const PARTITIONS = 2;
/** Without transactions; what transactions write; what is made of that. */
export const TOPICS = { plain: 'plain', input: 'input', output: 'output' };

export interface ActorParts {
  port: number;
  name: string;
  random: SeededRandom;
  recorder: Recorder;
  /** It ends what it is at, and stops. */
  stopped: AbortSignal;
  /** What nobody should hear, however the broker dies. */
  onFault: (fault: string) => void;
}

/** So long a broker may be away: longer than it ever is. */
const RETRY_FOR_MS = 25_000;

export function connectTo({ port, name }: Pick<ActorParts, 'port' | 'name'>): Promise<Client> {
  return connect(`kafka://127.0.0.1:${port}`, {
    clientId: name,
    retryForMs: RETRY_FOR_MS,
    connectTimeoutMs: 2_000,
    requestTimeoutMs: 5_000,
    tracing: false,
  });
}

/** Runs work with a client of its own, until it is stopped. */
export async function act(parts: ActorParts, work: (client: Client) => Promise<void>): Promise<void> {
  const client = await connectTo(parts);
  try {
    await work(client);
  } catch (error) {
    parts.onFault(`${parts.name}: ${String(error)}`);
  } finally {
    await client.close({ timeoutMs: 2_000 }).catch(() => {});
  }
}

export interface Written {
  key: string;
  value: string;
  offset?: number;
  madeOf?: string;
}

/** @param offset -1 where nobody says. */
export function sendOf({ key, value, madeOf }: Written, offset = -1): Send {
  const send: Send =
    madeOf === undefined ? { type: 'send', key, value } : { type: 'send', key, value, madeOf };
  return offset < 0 ? send : { ...send, offset };
}

/** Takes down one operation that began now. */
export function begin({
  recorder,
  name,
}: ActorParts): (ended: Omit<Operation, 'process' | 'beganAtMs' | 'endedAtMs'>) => void {
  const beganAtMs = performance.now();
  return (ended) => recorder.add({ process: name, beganAtMs, ...ended });
}
