import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/web/index.ts';

/** In the page of `test/client/chromium.test.ts`: the whole client, which reads as a member of a group, and writes. */

let client: Client;
const seen: string[] = [];

export async function start(url: string): Promise<void> {
  client = await connect(url);
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
