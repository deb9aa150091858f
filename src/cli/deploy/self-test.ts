import { setTimeout } from 'node:timers/promises';
import { connect } from '../../hosts/node/connect.ts';
import { CliError, EXIT } from '../errors.ts';

const TOPIC = 'milena-self-test';
/** An address that is new has to become known, and so has a secret. */
const READY_WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 1_000;

/** Where Kafka over WebSocket is. */
export function kafkaUrl(url: string): string {
  return `${url.replace(/^http/, 'ws')}/kafka`;
}

/** Waits until it answers, writes a record, reads it, and takes its topic away. @returns milliseconds of the write. */
export async function selfTest(url: string, ticket: string): Promise<number> {
  await untilReady(url);
  const client = await connect(`${kafkaUrl(url)}?ticket=${ticket}`);
  try {
    const value = `written at ${new Date().toISOString()}`;
    await client.admin.topics.create(TOPIC, { partitions: 1 });
    const startedAtMs = performance.now();
    await client.send(TOPIC, { value });
    const tookMs = performance.now() - startedAtMs;
    let found: string | undefined;
    for await (const record of client.read(TOPIC, { live: false }))
      found = new TextDecoder().decode(record.value ?? undefined);
    await client.admin.topics.delete(TOPIC);
    if (found === value) return tookMs;
    throw new CliError(
      EXIT.unsatisfied,
      'SELF_TEST',
      `${JSON.stringify(found)} was read, not what was written`,
    );
  } finally {
    await client.close();
  }
}

async function untilReady(url: string): Promise<void> {
  const untilMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const response = await fetch(`${url}/readyz`).catch(() => undefined);
    if (response?.ok) return;
    if (performance.now() > untilMs)
      throw new CliError(
        EXIT.unreachable,
        'NOT_READY',
        `${url}/readyz does not say ok`,
        'look at `wrangler tail`',
      );
    await setTimeout(LOOK_EVERY_MS);
  }
}
