import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { append, isTrue, logName, offsetsOf } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { openStore } from './open.ts';

const { log } = logName(1);

/** What one process does before it is killed: commits of a few writes each, some of them not waited for. */
const commit = fc.record({
  writes: fc.array(
    fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          records: fc.integer({ min: 1, max: 3 }),
          valueBytes: fc.constantFrom(1, 300),
        }),
      },
      { weight: 2, arbitrary: fc.constant('roll' as const) },
      { weight: 1, arbitrary: fc.record({ back: fc.integer({ min: 1, max: 6 }) }) },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  waits: fc.boolean(),
});
const life = fc.record({
  commits: fc.array(commit, { minLength: 1, maxLength: 8 }),
  /** Disk calls it lives. */
  calls: fc.integer({ min: 0, max: 80 }),
  power: fc.boolean(),
});

type Written = [baseOffset: number, lastOffset: number][];
/** The log after each step a write consists of: any of them from the acknowledged one on may survive. */
type History = Written[];
type Asked = 'roll' | { back: number } | { records: number; valueBytes: number };

/** The write asked for, which `history` gets as if it were done. */
function make(asked: Asked, history: History): LogWrite {
  const now = history.at(-1) ?? [];
  const end = (now.at(-1)?.[1] ?? -1) + 1;
  if (asked === 'roll') return { type: 'roll', log };
  if ('back' in asked) {
    const toOffset = Math.max(0, end - asked.back);
    // The end goes first.
    for (let left = now.length - 1; (now[left]?.[1] ?? -1) >= toOffset; left--)
      history.push(now.slice(0, left));
    return { type: 'truncate', log, toOffset };
  }
  history.push([...now, [end, end + asked.records - 1]]);
  return append({ log, baseOffset: end, ...asked });
}

async function contents(files: MemoryFiles): Promise<Written> {
  const store = await openStore(files, { tailBytes: 0 });
  await store.open(log);
  const found: Written = [];
  for (let fromOffset = 0; ;) {
    const bytes = await store.read(log, { fromOffset, endOffset: Infinity, maxBytes: 2000 });
    expect(isTrue(bytes)).toBe(true);
    const last = offsetsOf(bytes).at(-1);
    if (!last) return found;
    found.push(...offsetsOf(bytes));
    fromOffset = last[1] + 1;
  }
}

test('one life after the other, each ended by a kill: what was acknowledged stays, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
      let files = new MemoryFiles();
      const first = await openStore(files);
      await first.commit([{ type: 'create', ...logName(1) }]);
      files = files.crash({ power: true });
      let now: Written = [];
      for (const { commits, calls, power } of lives) {
        const store = await openStore(files);
        await store.open(log);
        files.diesAtCall = files.calls + calls;
        const history: History = [now];
        let acknowledged = 0;
        const waiting: Promise<unknown>[] = [];
        for (const { writes, waits } of commits) {
          const made = writes.map((asked) => make(asked, history));
          const reached = history.length - 1;
          const done = store.commit(made).then(
            () => (acknowledged = Math.max(acknowledged, reached)),
            () => {},
          );
          waiting.push(done);
          if (waits) await done;
        }
        await Promise.all(waiting);
        files = files.crash({ power });
        now = await contents(files.crash({ power: false }));
        expect(history.slice(acknowledged)).toContainEqual(now);
      }
    }),
    { numRuns: 300 },
  );
});
