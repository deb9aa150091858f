import { expect, test } from 'vitest';
import { OneTimer } from '../../src/hosts/durable-object/one-timer.ts';
import { VirtualClock } from '../../src/hosts/node/virtual-clock.ts';

function timers() {
  const base = new VirtualClock(1_000_000);
  let isSet = 0;
  const clock = new OneTimer({
    now: () => base.now(),
    at: (atMs, callback) => {
      isSet++;
      return base.at(atMs, callback);
    },
  });
  const met: string[] = [];
  const at = (name: string, ms: number) => clock.at(base.now() + ms, () => met.push(name));
  return { base, clock, met, at, set: () => isSet };
}

test('each deadline is met at its time, in order, and those taken back are not', async () => {
  const { base, met, at } = timers();
  at('later', 60_000);
  at('soon', 20);
  const takeBack = at('never', 30_000);
  at('first', 5_000);
  takeBack();
  await base.advance(20);
  expect(met).toEqual(['soon']);
  await base.advance(4_979);
  expect(met).toEqual(['soon']);
  await base.advance(1);
  expect(met).toEqual(['soon', 'first']);
  await base.advance(55_000);
  expect(met).toEqual(['soon', 'first', 'later']);
});

test('a thousand deadlines that are taken back cost one timer', async () => {
  const { base, met, at, set } = timers();
  for (let each = 0; each < 1_000; each++) at('x', 60_000 + each)();
  expect(set()).toBe(1);
  await base.advance(120_000);
  expect(met).toEqual([]);
});

test('one that is met may set another', async () => {
  const { base, clock, met, at } = timers();
  clock.at(base.now() + 2_000, () => at('next', 2_000));
  await base.advance(4_000);
  expect(met).toEqual(['next']);
});

test('nothing is called once it is closed', async () => {
  const { base, clock, met, at } = timers();
  at('x', 2_000);
  clock.close();
  await base.advance(10_000);
  expect(met).toEqual([]);
});
