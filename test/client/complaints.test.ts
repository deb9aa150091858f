import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../tidy/source.ts';

/**
 * What users of other clients suffer, and what this one promises instead: by complaint, the tests that hold it to that
 * (file, then how the test or its group begins).
 */
const COMPLAINTS: Readonly<Record<string, readonly (readonly [file: string, name: string])[]>> = {
  'wedged forever while health looks good (kjs#852, kjs#1443)': [
    ['consumer/bad-days.test.ts', 'wedged forever'],
    ['consumer/real-days.test.ts', 'a broker that never comes back: the iterator throws'],
    ['fetch/never-wedged.test.ts', 'wedged forever: the iterator throws when'],
    ['group/membership.test.ts', 'wedged forever: brokers that are gone'],
    ['connect.test.ts', 'nobody there: it is tried for as long as told'],
  ],
  'shutdown hangs (kjs#967, kjs#1462, plt#408)': [
    ['consumer/bad-days.test.ts', 'shutdown hangs'],
    ['consumer/bad-days.test.ts', 'while it reconnects (plt#408)'],
    ['consumer/bad-days.test.ts', 'while another member holds up a rebalance'],
    ['suite/sharing.ts', 'closed during a rebalance: all settle'],
    ['faulty-network.test.ts', 'it goes silent for good'],
  ],
  'disconnect does not wait for retries in flight (kjs#879)': [
    ['producer/promises.test.ts', 'waits for retries in flight (kjs#879)'],
  ],
  'duplicates on revoke': [
    ['consumer/bad-days.test.ts', 'duplicates on revoke'],
    ['suite/sharing.ts', 'duplicates on revoke: none, and none is lost'],
    ['group/membership.test.ts', 'rebalances that begin while one is under way'],
  ],
  'backpressure by count': [
    ['fetch/backpressure.test.ts', 'backpressure by count: a reader is bounded in bytes'],
    ['producer/promises.test.ts', 'without room a write waits'],
  ],
  'lag wrong after commit (plt#412)': [['suite/consuming.ts', 'lag is right at once']],
  'pause and resume killed the stream (plt#170)': [['suite/consuming.ts', 'pause and resume']],
  'no async iteration (kjs#298)': [
    ['suite/reading.ts', 'async iteration (kjs#298) and types'],
    ['suite/consuming.ts', 'for await'],
  ],
  'types that lie about null keys (kjs#1036)': [
    ['topics/types.test.ts', 'null only where it may be (types that lie about null keys, kjs#1036)'],
    ['suite/reading.ts', 'keys and values may be null, and the types say so'],
  ],
  'handlers have to be async (kjs#1056)': [['suite/running.ts', 'handlers that are not async (kjs#1056)']],
  'no cancel, no disposal': [
    ['cancel.test.ts', 'no cancel'],
    ['cancel.test.ts', 'no disposal'],
  ],
  'typed messages by hand': [
    ['topics/topic.test.ts', 'typed messages by hand: a schema of %s'],
    ['topics/types.test.ts', 'of schemas: what they make of it'],
    ['suite/typed.ts', 'what is not is refused, and of its list nothing is sent'],
  ],
  'tracing gaps': [
    ['tracing/tracing.test.ts', 'tracing gaps: what is sent'],
    ['tracing/tracing.test.ts', 'tracing gaps: what is consumed'],
    [
      'tracing/tracing.test.ts',
      'records that came together have a span with a link to each of their senders',
    ],
  ],
  'browser and Workers (kjs#426, kjs#508, kjs#673, kjs#1003, kjs#1713)': [
    ['../package/package.test.ts', 'browser and Workers'],
    ['../package/package.test.ts', 'so does a Worker'],
    ['../pubsub/chromium.test.ts', 'the page of five lines'],
  ],
};

test.each(Object.entries(COMPLAINTS))('%s: there are tests', (_, tests) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const [file, name] of tests)
    expect(readFileSync(join(ROOT, 'test', 'client', file), 'utf8')).toContain(name);
});
