import type { Client } from '../../src/client/client.ts';
import { connect, MilenaError } from '../../src/hosts/web/index.ts';
import type { CodecName } from '../../src/records/codecs.ts';

/** In the page of `test/client/chromium.test.ts`: the whole client, which reads as a member of a group, and writes. */

let client: Client;
const seen: string[] = [];

export async function open(url: string): Promise<void> {
  client = await connect(url);
}

export async function start(url: string): Promise<void> {
  await open(url);
  const text = (value: Uint8Array | null) => new TextDecoder().decode(value ?? undefined);
  const consumer = client.consumer({ group: 'page', topics: ['orders'], autoCommit: { intervalMs: 20 } });
  void consumer.run(({ value }) => void seen.push(text(value)));
}

export function values(): string[] {
  return seen;
}

export function status(): string {
  return client.status;
}

export async function write(value: string): Promise<number> {
  return (await client.send('orders', { value })).offset;
}

/** @returns its offset, or what of the error a program looks at. */
export async function tryToWrite(compression: CodecName): Promise<unknown> {
  try {
    await using producer = client.producer({ compression });
    return (await producer.send('orders', { value: 'v' })).offset;
  } catch (error) {
    if (!(error instanceof MilenaError)) throw error;
    const { code, retriable, message, hint } = error;
    return { code, retriable, message, hint };
  }
}
