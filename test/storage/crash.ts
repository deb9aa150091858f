import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogKey } from '../../src/model/ids.ts';
import type { LogName, LogStore, LogWrite } from '../../src/ports/log-store.ts';
import { append } from './batches.ts';
import { askedCommits, isReplace, longScript, replacing, Script, scriptOf, STORIES } from './crash-script.ts';
import type { Wear } from './crash-script.ts';
import { replaceIn } from './replacing.ts';
import type { ModelLog } from './model-log.ts';
import { checkSegments, readLog } from './reading.ts';

/** What a store keeps its logs on, one store at a time. */
export interface Medium {
  /**
   * One life of a store: opened on what the life before left, lived, closed. A change is the least that a crash can
   * part from the next; once the medium has taken `changesMax` of them it takes nothing more, and what the store is
   * asked for rejects. `life` never rejects because of that; an error of a life that was not killed is passed on.
   * @returns how many changes the medium took, those of opening and closing too.
   */
  live(life: (store: LogStore) => Promise<void>, changesMax?: number): Promise<number>;
}

export interface CrashHome extends Wear {
  /** A new medium, empty. */
  make(): Promise<Medium>;
}

interface Sizes {
  /** Generated scripts that are killed at every change. */
  scripts?: number;
  /** Commits of up to four writes in each. */
  commitsMax?: number;
  /** Generated sequences of lives, each killed somewhere. */
  sequences?: number;
  /** Whether the script of 200 writes is played. */
  long?: boolean;
}

type Logs = ReadonlyMap<LogKey, ModelLog>;

const NOTHING: Logs = new Map();
/** A loaded machine with a slow disk takes its time. */
const TEST_MS = 120_000;
/** Shrinking plays a failing script again and again: what was found by then is told before the test's own time ends. */
const INTERRUPT = { interruptAfterTimeLimit: 50_000 };

/**
 * What every `LogStore` that keeps anything does when it is killed, at any change of its medium: each log holds a
 * prefix of what was asked for and at least all that was acknowledged, values included; and the store goes on.
 */
export function crashContract(name: string, home: CrashHome, sizes: Sizes = {}): void {
  const { scripts = 6, commitsMax = 10, sequences = 100, long = true } = sizes;
  describe(`${name}: killed at every change`, { timeout: TEST_MS }, () => {
    test.each(Object.entries(STORIES))('%s', async (_, story) => {
      const commits = story.map((writes) => ({ writes, waits: true }));
      const changes = await killEverywhere(home, new Script(NOTHING, commits, home));
      expect(changes).toBeGreaterThanOrEqual(commits.length);
    });

    test('generated scripts', async () => {
      expect.hasAssertions();
      const property = fc.asyncProperty(askedCommits(commitsMax), async (asked) => {
        await killEverywhere(home, scriptOf(NOTHING, asked, home));
      });
      await fc.assert(property, { numRuns: scripts, ...INTERRUPT });
    });

    test('segments that are written anew', async () => {
      expect.hasAssertions();
      const property = fc.asyncProperty(replacing, async (commits) => {
        await killEverywhere(home, new Script(NOTHING, commits, home));
      });
      await fc.assert(property, { numRuns: scripts, ...INTERRUPT });
    });

    test.each(long ? [200] : [])('a script of %i writes', async (writes) => {
      const changes = await killEverywhere(home, longScript(home, writes), 10);
      expect(changes).toBeGreaterThan(30);
    });

    test('in one life after the other', async () => {
      expect.hasAssertions();
      const life = fc.record({ asked: askedCommits(8), changesMax: fc.nat(60) });
      const lives = fc.array(life, { minLength: 1, maxLength: 4, size: 'max' });
      const property = fc.asyncProperty(lives, async (sequence) => {
        const medium = await home.make();
        let logs = NOTHING;
        for (const { asked, changesMax } of sequence) {
          const script = scriptOf(logs, asked, home);
          const { acknowledged } = await liveAndDie(medium, script, changesMax);
          logs = await judged(medium, script, acknowledged);
        }
      });
      await fc.assert(property, { numRuns: sequences, ...INTERRUPT });
    });
  });
}

/**
 * Plays the script once to its end and once for each change it makes, killed there.
 * @param goOnEach after how many kills the store is used again. @returns the changes.
 */
export async function killEverywhere(home: CrashHome, script: Script, goOnEach = 1): Promise<number> {
  const whole = await home.make();
  const { changes, acknowledged } = await liveAndDie(whole, script, Infinity);
  expect(acknowledged, 'a store that lives acknowledges all').toHaveLength(script.commits.length);
  await judged(whole, script, acknowledged);
  for (let changesMax = 0; changesMax < changes; changesMax++) {
    const medium = await home.make();
    const { acknowledged } = await liveAndDie(medium, script, changesMax);
    try {
      const logs = await judged(medium, script, acknowledged);
      if (changesMax % goOnEach === 0) await goOn(medium, script, logs);
    } catch (error) {
      throw new Error(`killed after ${changesMax} of ${changes} changes`, { cause: error });
    }
  }
  return changes;
}

/** Commits what the script says until a commit fails. @returns the changes made, and which commits resolved. */
async function liveAndDie(medium: Medium, script: Script, changesMax: number) {
  const acknowledged: number[] = [];
  const changes = await medium.live(async (store) => {
    let failed = false;
    const waiting: Promise<void>[] = [];
    for (const { log } of store.logs()) await store.open(log).catch(() => (failed = true));
    for (const [number, { writes, waits }] of script.commits.entries()) {
      if (failed) break;
      const work = isReplace(writes) ? replaceIn(store, writes[0]) : store.commit(writes);
      const done = work.then(
        () => void acknowledged.push(number),
        () => void (failed = true),
      );
      waiting.push(done);
      if (waits) await done;
    }
    await Promise.all(waiting);
  }, changesMax);
  return { changes, acknowledged };
}

/** Opens what is left: one of the states it may be in. @returns that state. */
async function judged(medium: Medium, script: Script, acknowledged: readonly number[]): Promise<Logs> {
  const found = new Map<LogKey, ModelLog>();
  await medium.live(async (store) => {
    const names = new Map(store.logs().map((name) => [name.log, name]));
    expect([...script.histories.keys()]).toEqual(expect.arrayContaining([...names.keys()]));
    expect(new Set(store.logs().map(({ topic }) => topic)).size, 'one log a name').toBe(names.size);
    for (const log of script.histories.keys()) {
      const image = names.has(log) ? (await readLog(store, log)).image : undefined;
      const possible = script.possible(log, acknowledged);
      expect(possible.map((state) => state?.image)).toContain(image);
      const state = possible.find((one) => one?.image === image);
      if (!state) continue;
      expect(names.get(log)).toEqual(state.name);
      checkSegments(store, state);
      found.set(log, state);
    }
  });
  return found;
}

/** The store works on what a crash left: it takes more, and has it once opened again. */
async function goOn(medium: Medium, script: Script, logs: Logs): Promise<void> {
  const names = new Set([...logs.values()].map(({ name }) => name.topic));
  const commits = [...script.histories].flatMap(([log, { states }]) => {
    const held = logs.get(log);
    const name = states.find((state) => state !== undefined)?.name;
    // A log that is not there is made, unless another has its name now.
    if (!name || (!held && names.has(name.topic))) return [];
    names.add(name.topic);
    return [{ writes: moreOf(name, held), waits: true }];
  });
  const next = new Script(logs, commits, { tears: false });
  const { acknowledged } = await liveAndDie(medium, next, Infinity);
  expect(acknowledged).toHaveLength(commits.length);
  await judged(medium, next, acknowledged);
}

function moreOf(name: LogName, held: ModelLog | undefined): LogWrite[] {
  const { log } = name;
  const end = held?.end ?? 0;
  return [
    ...(held ? [] : [{ type: 'create', ...name } as const]),
    append({ log, baseOffset: end, records: 2, timestamp: 99 }),
    { type: 'put', log, name: 'v', value: Uint8Array.of(9) },
    { type: 'roll', log },
    append({ log, baseOffset: end + 2, records: 1, timestamp: 98 }),
  ];
}
