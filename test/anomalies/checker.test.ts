import { describe, expect, test } from 'vitest';
import { KINDS, type Kind } from '../../src/hosts/sim/anomalies/anomaly.ts';
import { check } from '../../src/hosts/sim/anomalies/check.ts';
import {
  type History,
  type Operation,
  type Outcome,
  type Poll,
  type Send,
  provenance,
} from '../../src/hosts/sim/anomalies/history.ts';

type Given = Partial<Operation> & Pick<Operation, 'steps'>;

/** Operations of many processes, one after the other unless they say when they are. */
function history(...given: readonly (Given & { by: string })[]): History {
  const operations = given.map(({ by, ...rest }, number): Operation => ({
    process: by,
    outcome: 'ok',
    beganAtMs: 10 * number,
    endedAtMs: 10 * number + 5,
    ...rest,
  }));
  return { operations: operations.toSorted((a, b) => a.endedAtMs - b.endedAtMs) };
}

/** `x1` is a value of key x. */
function send(value: string, offset?: number): Send {
  const key = value.charAt(0);
  return offset === undefined ? { type: 'send', key, value } : { type: 'send', key, value, offset };
}

/** `poll('x', 'x1@0', 'x2@1')` */
function poll(key: string, ...records: readonly string[]): Poll {
  const read = records.map((record) => {
    const [value = '', offset] = record.split('@');
    return { value, offset: Number(offset) };
  });
  return { type: 'poll', key, records: read };
}

const wrote = (by: string, ...sends: readonly Send[]) => ({ by, steps: sends });
const read = (by: string, ...polls: readonly Poll[]) => ({ by, steps: polls });
const transaction = (by: string, outcome: Outcome, ...steps: readonly (Send | Poll)[]) => ({
  by,
  outcome,
  isTransaction: true,
  steps,
});

/** Three values of x, written in a row. */
const XS = [send('x1', 0), send('x2', 1), send('x3', 3)].map((one) => wrote('writer', one));
const ALL = read('reader', poll('x', 'x1@0', 'x2@1', 'x3@3'));

const CASES: Readonly<Record<Kind, History>> = {
  'lost-write': history(...XS, read('reader', poll('x', 'x1@0'), poll('x', 'x3@3'))),
  unseen: history(...XS, read('reader', poll('x', 'x1@0', 'x2@1'))),
  duplicate: history(...XS, read('reader', poll('x', 'x1@0', 'x2@1', 'x3@3', 'x2@4'))),
  'inconsistent-offsets': history(...XS, ALL, read('other', poll('x', 'x1@0', 'x2@1', 'x9@3'))),
  G1a: history(
    ...XS,
    transaction('txn', 'fail', send('x4', 4)),
    read('reader', poll('x', 'x1@0', 'x2@1', 'x3@3', 'x4@4')),
  ),
  'never-sent': history(...XS, read('reader', poll('x', 'x1@0', 'x2@1', 'x3@3', 'x9@7'))),
  'precommitted-read': history(transaction('txn', 'ok', send('x1', 0), poll('x', 'x1@0'))),
  'poll-skip': history(...XS, ALL, read('other', poll('x', 'x1@0')), read('other', poll('x', 'x3@3'))),
  'poll-skip of a member': history(
    ...XS,
    ALL,
    { ...read('other', poll('x', 'x1@0')), attached: 'subscribe' },
    { ...read('other', poll('x', 'x3@3')), attached: 'subscribe' },
  ),
  'nonmonotonic-poll': history(...XS, ALL, read('reader', poll('x', 'x3@3'))),
  'nonmonotonic-poll of a member': history(
    ...XS,
    { ...ALL, attached: 'subscribe' },
    { ...read('reader', poll('x', 'x1@0')), attached: 'subscribe' },
  ),
  'int-poll-skip': history(...XS, ALL, read('other', poll('x', 'x1@0', 'x3@3'))),
  'int-nonmonotonic-poll': history(...XS, ALL, read('other', poll('x', 'x1@0', 'x2@1'), poll('x', 'x2@1'))),
  'nonmonotonic-send': history(
    wrote('a', send('x2', 1)),
    wrote('a', send('x1', 0)),
    read('reader', poll('x', 'x1@0', 'x2@1')),
  ),
  'int-nonmonotonic-send': history(
    wrote('a', send('x2', 1), send('x1', 0)),
    read('reader', poll('x', 'x1@0', 'x2@1')),
  ),
  'int-send-skip': history(wrote('a', send('x1', 0), send('x3', 3)), wrote('b', send('x2', 1)), ALL),
  G0: history(
    transaction('a', 'ok', send('x1', 0), send('y2', 1)),
    transaction('b', 'ok', send('x2', 1), send('y1', 0)),
    read('reader', poll('x', 'x1@0', 'x2@1'), poll('y', 'y1@0', 'y2@1')),
  ),
  'G0-process': history(
    wrote('a', send('x2', 1)),
    { ...wrote('a', send('y1', 0)), beganAtMs: 8 },
    { ...transaction('b', 'ok', send('x1', 0), send('y2', 1)), beganAtMs: 0 },
    read('reader', poll('x', 'x1@0', 'x2@1'), poll('y', 'y1@0', 'y2@1')),
  ),
  'G0-realtime': history(
    wrote('a', send('x2', 1)),
    wrote('b', send('x1', 0)),
    read('reader', poll('x', 'x1@0', 'x2@1')),
  ),
  G1c: history(
    transaction('a', 'ok', send('x1', 0), poll('y', 'y1@0')),
    transaction('b', 'ok', send('y1', 0), poll('x', 'x1@0')),
  ),
  'G1c-process': history(
    { ...read('a', poll('y', 'y1@0')), beganAtMs: 0, endedAtMs: 20 },
    { ...wrote('a', send('x1', 0)), beganAtMs: 20, endedAtMs: 40 },
    { ...transaction('b', 'ok', poll('x', 'x1@0'), send('y1', 0)), beganAtMs: 0, endedAtMs: 40 },
  ),
  'G1c-realtime': history(
    { ...read('a', poll('y', 'y1@0')), beganAtMs: 0, endedAtMs: 20 },
    { ...wrote('c', send('x1', 0)), beganAtMs: 25, endedAtMs: 40 },
    { ...transaction('b', 'ok', poll('x', 'x1@0'), send('y1', 0)), beganAtMs: 0, endedAtMs: 40 },
  ),
  'G1c with writes': history(
    transaction('a', 'ok', send('x2', 1), send('y1', 0)),
    transaction('b', 'ok', send('x1', 0), poll('y', 'y1@0')),
    read('reader', poll('x', 'x1@0', 'x2@1')),
  ),
  'processed twice': history(
    wrote('writer', send('x1', 0)),
    read('member', poll('x', 'x1@0')),
    transaction('member', 'ok', { ...send('y1', 0), madeOf: provenance('x', 0) }),
    transaction('zombie', 'ok', { ...send('y2', 1), madeOf: provenance('x', 0) }),
    read('reader', poll('y', 'y1@0', 'y2@1')),
  ),
  unprocessed: {
    ...history(
      ...XS,
      ALL,
      wrote('member', { ...send('y1', 0), madeOf: provenance('x', 0) }),
      read('reader', poll('y', 'y1@0')),
    ),
    processed: new Set(['x']),
  },
};

function kindsIn(given: History): Kind[] {
  return [...check(given).counts.keys()];
}

describe('each anomaly is found', () => {
  test.each(Object.entries(CASES))('%s', (kind, given) => {
    const { bad, allowed } = check(given);
    const found = KINDS[kind as Kind] === 'bad' ? bad : allowed;
    expect(found.map((anomaly) => anomaly.kind)).toContain(kind);
    expect(found[0]?.what).not.toBe('');
  });
});

describe('nothing is cried at', () => {
  test('what is as it should be', () => {
    const clean = history(
      ...XS,
      transaction('txn', 'ok', send('x4', 5), send('y1', 0)),
      transaction('txn', 'fail', send('x5', 7), send('y2', 2)),
      ALL,
      read('reader', poll('x', 'x4@5')),
      read('other', poll('y', 'y1@0'), poll('x', 'x1@0', 'x2@1', 'x3@3', 'x4@5')),
    );
    expect(kindsIn(clean)).toEqual([]);
  });

  test('what nobody knows of, there or not', () => {
    const unknown = transaction('txn', 'info', send('x4'), send('y1'));
    expect(kindsIn(history(...XS, unknown, ALL))).toEqual([]);
    const isThere = [read('reader', poll('x', 'x4@5')), read('reader', poll('y', 'y1@0'))];
    expect(kindsIn(history(...XS, unknown, ALL, ...isThere))).toEqual([]);
  });

  test('a transaction of which nobody knows is whole or not there', () => {
    const unknown = transaction('txn', 'info', send('x4', 4), send('y1', 0));
    expect(kindsIn(history(...XS, unknown, ALL, read('reader', poll('y', 'y1@0'))))).toEqual(['unseen']);
  });

  test('what may be there twice', () => {
    const twice = wrote('plain', { ...send('x4', 4), mayRepeat: true });
    const given = history(...XS, twice, ALL, read('reader', poll('x', 'x4@4', 'x4@5')));
    expect(kindsIn(given)).toEqual([]);
  });

  test('what was deleted', () => {
    const given = history(...XS, read('reader', poll('x', 'x3@3')));
    expect(kindsIn(given)).toEqual(['lost-write']);
    expect(kindsIn({ ...given, deletedBelow: new Map([['x', 2]]) })).toEqual([]);
  });

  test('a reader that was put elsewhere', () => {
    const elsewhere = { ...read('reader', poll('x', 'x2@1', 'x3@3')), moved: ['x'] };
    expect(kindsIn(history(...XS, ALL, elsewhere))).toEqual([]);
  });

  test('a partition that was taken from a member, and given back, while it polled', () => {
    const moved = { ...read('member', poll('x', 'x1@0', 'x2@1'), poll('x', 'x1@0')), moved: ['x'] };
    expect(kindsIn(history(...XS, ALL, { ...moved, attached: 'subscribe' }))).toEqual([]);
  });

  test('writers at once, in any order', () => {
    const given = history(
      { ...wrote('a', send('x2', 1)), beganAtMs: 0 },
      { ...wrote('b', send('x1', 0)), beganAtMs: 0 },
      read('reader', poll('x', 'x1@0', 'x2@1')),
    );
    expect(kindsIn(given)).toEqual([]);
  });

  test('each thing that was processed once, though some tries came to nothing', () => {
    const made = (value: string, of: number): Send => ({ ...send(value, of), madeOf: provenance('x', of) });
    const given = history(
      ...XS,
      ALL,
      transaction('member', 'fail', { ...send('y0', 0), madeOf: provenance('x', 0) }),
      ...[made('y1', 0), made('y2', 1), made('y3', 3)].map((one, number) =>
        transaction('member', 'ok', { ...one, offset: 2 * number + 2 }),
      ),
      read('reader', poll('y', 'y1@2', 'y2@4', 'y3@6')),
    );
    expect(kindsIn({ ...given, processed: new Set(['x']) })).toEqual([]);
  });
});

test('how long a value waited for its first reader is told', () => {
  expect(
    check(history(wrote('writer', send('x1', 0)), { ...read('reader', poll('x', 'x1@0')), endedAtMs: 47 }))
      .lagMs,
  ).toBe(42);
});

test('what is allowed is not bad', () => {
  const allowed = Object.entries(CASES).filter(([kind]) => KINDS[kind as Kind] === 'allowed');
  expect(allowed.flatMap(([, given]) => check(given).bad)).toEqual([]);
});
