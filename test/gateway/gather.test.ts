import { expect, test } from 'vitest';
import { Gather } from '../../src/gateway/gather.ts';

function gather() {
  let calls = 0;
  return { it: new Gather(() => calls++), calls: () => calls };
}

test('with nobody to wait for it is done once sealed', () => {
  const { it, calls } = gather();
  expect(calls()).toBe(0);
  it.seal();
  expect(calls()).toBe(1);
});

test('answers that come before all have been asked do not end it', () => {
  const { it, calls } = gather();
  it.enter();
  it.leave();
  it.enter();
  it.leave();
  expect(calls()).toBe(0);
  it.seal();
  expect(calls()).toBe(1);
});

test('the last to leave ends it, once', () => {
  const { it, calls } = gather();
  for (let i = 0; i < 3; i++) it.enter();
  it.seal();
  it.leave();
  it.leave();
  expect(calls()).toBe(0);
  it.leave();
  expect(calls()).toBe(1);
});
