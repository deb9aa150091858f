import { describe, expect, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import { ErrorCode } from '../../../src/model/errors.ts';
import { fetchApi } from '../../../src/wire/apis/01-fetch.ts';
import { clientOf } from '../fake-client.ts';
import { FakeCluster, type FakeOptions, TOPIC } from '../fake-cluster.ts';
import { FakeLogs, type FakeLogsOptions } from '../fake-logs.ts';

/**
 * A complaint, "wedged forever": a reader restarted without end while its health looked good, for two weeks. Ours tries
 * for `retryForMs`, and then its iterator throws why. In virtual time.
 */

const RETRY_FOR_MS = 30_000;
/** A request that nobody answers counts as lost after so long. */
const REQUEST_TIMEOUT_MS = 30_000;

interface Day {
  options?: FakeOptions;
  logs?: FakeLogsOptions;
  /** What goes wrong once the first record was read. */
  breaks: (fake: FakeCluster, logs: FakeLogs) => void;
}

/** Reads one record, then things go wrong. @returns what reading came to, and how long that took. */
async function badDay({ options = {}, logs: logOptions = {}, breaks }: Day) {
  const fake = new FakeCluster({ nodes: 2, ...options });
  const logs = new FakeLogs(fake, logOptions);
  logs.log().append(['first']);
  const client = clientOf(fake, RETRY_FOR_MS);
  const reader = client.read(TOPIC);
  await fake.run(reader.next());
  breaks(fake, logs);
  const since = fake.scheduler.nowMs;
  const failed = await fake.run(
    reader.next().then(
      () => new Error('a record came'),
      (error: Error & { code?: string }) => error,
    ),
  );
  const took = fake.scheduler.nowMs - since;
  const after = await fake.run(reader.next());
  await fake.run(client.close());
  return { failed, took, after, client };
}

const DAYS: [name: string, code: string, day: Day][] = [
  [
    'all brokers have gone',
    'CONNECTION_LOST',
    { breaks: (fake) => [1, 2].forEach((node) => fake.stop(node)) },
  ],
  [
    'the partition has no leader',
    'LEADER_NOT_AVAILABLE',
    { breaks: (fake) => fake.stop(fake.leaders[0]?.id ?? 0) },
  ],
  [
    'the topic was deleted',
    'UNKNOWN_TOPIC_OR_PARTITION',
    { breaks: (fake, logs) => ((fake.topicErrorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION), logs.wake()) },
  ],
  [
    'the right to read was taken away',
    'TOPIC_AUTHORIZATION_FAILED',
    {
      breaks: (_, logs) => ((logs.options.refuse = () => ErrorCode.TOPIC_AUTHORIZATION_FAILED), logs.wake()),
    },
  ],
  [
    'the leader refuses whatever it is asked',
    'KAFKA_STORAGE_ERROR',
    { breaks: (_, logs) => ((logs.options.refuse = () => ErrorCode.KAFKA_STORAGE_ERROR), logs.wake()) },
  ],
  [
    'fetches are never answered',
    'CONNECTION_LOST',
    { breaks: (fake) => (fake.options.mishap = (api) => (api.key === fetchApi.key ? 'silence' : undefined)) },
  ],
  [
    'answers are garbage',
    'CONNECTION_LOST',
    { breaks: (fake) => (fake.options.mishap = (api) => (api.key === fetchApi.key ? 'garbage' : undefined)) },
  ],
  [
    'a batch is damaged at the broker',
    'CORRUPT_MESSAGE',
    {
      breaks: (_, logs) => {
        logs.log().append(['second']);
        const bytes = logs.log().batches[1]?.bytes ?? new Uint8Array(0);
        bytes[bytes.length - 1] = 0xff;
        logs.wake();
      },
    },
  ],
  [
    'the broker says there is more, and sends nothing',
    'NO_PROGRESS',
    { breaks: (_, logs) => void (logs.log().endOffset = 10) },
  ],
];

describe('wedged forever: the iterator throws when', () => {
  test.each(DAYS)('%s', async (_, code, day) => {
    const { failed, took, after } = await badDay(day);
    expect(failed).toMatchObject({ code });
    expect(took).toBeLessThan(RETRY_FOR_MS + 2 * REQUEST_TIMEOUT_MS);
    expect(after).toEqual({ done: true, value: undefined });
  });
});

describe('waiting ends at once', () => {
  async function waiting(use: (client: Client, abort: AbortController) => void) {
    const fake = new FakeCluster();
    new FakeLogs(fake);
    const client = clientOf(fake, RETRY_FOR_MS);
    const abort = new AbortController();
    const reader = client.read(TOPIC, { signal: abort.signal });
    const next = reader.next();
    next.catch(() => {});
    fake.scheduler.after(5_000, 'use', () => use(client, abort));
    const since = fake.scheduler.nowMs;
    const outcome = await fake.run(
      next.then(
        (result) => result,
        (error: unknown) => error,
      ),
    );
    expect(fake.scheduler.nowMs - since).toBe(5_000);
    await fake.run(client.close());
    return outcome;
  }

  test('with the reason of the signal', async () => {
    const why = new Error('enough');
    expect(await waiting((_, abort) => abort.abort(why))).toBe(why);
  });

  test('when the client is closed', async () => {
    expect(await waiting((client) => void client.close())).toEqual({ done: true, value: undefined });
  });

  test('records that are here already are not given any more', async () => {
    const fake = new FakeCluster();
    new FakeLogs(fake).log().append(['a', 'b', 'c']);
    const client = clientOf(fake, RETRY_FOR_MS);
    const abort = new AbortController();
    const reader = client.read(TOPIC, { signal: abort.signal });
    await fake.run(reader.next());
    abort.abort(new Error('enough'));
    await expect(reader.next()).rejects.toThrow('enough');
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    await fake.run(client.close());
  });

  test('before it began, when the signal is aborted already', async () => {
    const fake = new FakeCluster();
    new FakeLogs(fake);
    const client = clientOf(fake, RETRY_FOR_MS);
    await expect(client.read(TOPIC, { signal: AbortSignal.abort(new Error('no')) }).next()).rejects.toThrow(
      'no',
    );
    expect(fake.asked).toEqual([]);
  });
});
