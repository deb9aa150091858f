import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ObjectClock } from '../../src/hosts/durable-object/object-clock.ts';

const NOW_MS = 1_000_000;

beforeEach(() => void vi.useFakeTimers({ now: NOW_MS }));
afterEach(() => void vi.useRealTimers());

/** What was done, and the alarms that were set. */
function clockOf() {
  const alarms: number[] = [];
  const done: string[] = [];
  const clock = new ObjectClock({ nearMs: 10, setAlarm: (atMs) => alarms.push(atMs) });
  const at = (afterMs: number) => clock.at(NOW_MS + afterMs, () => done.push(String(afterMs)));
  return { clock, alarms, done, at };
}

describe("an object's deadlines", () => {
  test('near ones are timers, and cost no row', () => {
    const { at, alarms, done } = clockOf();
    at(10);
    at(5)();
    vi.advanceTimersByTime(10);
    expect([done, alarms]).toEqual([['10'], []]);
  });

  test('the others are one alarm, set again when it must come sooner', () => {
    const { at, alarms, done, clock } = clockOf();
    for (const afterMs of [500, 100, 300]) at(afterMs);
    expect(alarms).toEqual([NOW_MS + 500, NOW_MS + 100]);
    vi.setSystemTime(NOW_MS + 100);
    clock.alarm();
    expect([done, alarms.at(-1)]).toEqual([['100'], NOW_MS + 300]);
    vi.setSystemTime(NOW_MS + 600);
    clock.alarm();
    clock.alarm();
    expect([done, alarms.length]).toEqual([['100', '500', '300'], 3]);
  });

  test('one that was taken back does not come, though the alarm does', () => {
    const { at, alarms, done, clock } = clockOf();
    at(100)();
    vi.setSystemTime(NOW_MS + 100);
    clock.alarm();
    expect([done, alarms]).toEqual([[], [NOW_MS + 100]]);
  });

  test('an alarm that an earlier instance has set is not put off', () => {
    const { at, alarms, clock } = clockOf();
    clock.alarmIs(NOW_MS + 100);
    at(200);
    expect(alarms).toEqual([]);
    at(50);
    expect(alarms).toEqual([NOW_MS + 50]);
  });
});
