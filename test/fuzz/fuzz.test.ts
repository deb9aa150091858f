import { afterAll, describe, expect, test } from 'vitest';
import { SeededRandom } from '../support/random.ts';
import { corpusOf } from './corpus.ts';
import { damage } from './damage.ts';
import { Cases, TARGETS, faultOf, shrunk } from './run.ts';
import { type Target, mustHold } from './target.ts';

const CASES = 20_000;
const SHARES = TARGETS.reduce((sum, { share }) => sum + share, 0);
const seed = Math.floor(Math.random() * 2 ** 32);

describe.each(TARGETS)('$name', (target) => {
  afterAll(() => target.close?.());

  test('what is kept holds', async () => {
    for (const input of corpusOf(target.name)) expect(await faultOf(target, input)).toBeUndefined();
  });

  test(`a slice of new cases holds (seed ${seed})`, async () => {
    const cases = new Cases(target, seed);
    for (let left = Math.ceil((CASES * target.share) / SHARES); left > 0; left--) {
      const input = cases.next();
      const fault = await faultOf(target, input);
      expect(fault && { fault, input: Buffer.from(input).toString('hex') }).toBeUndefined();
    }
  });
});

test('a fault is found, and its input made small', async () => {
  const planted: Target = {
    name: 'planted',
    share: 1,
    make: (random) => damage(new Uint8Array(100), random),
    check: (input) => mustHold(!input.includes(0x81), () => 'planted'),
  };
  const random = new SeededRandom(1);
  for (;;) {
    const input = planted.make(random);
    const fault = await faultOf(planted, input);
    if (fault === undefined) continue;
    expect(await shrunk(planted, input, fault.name)).toEqual(Uint8Array.of(0x81));
    return;
  }
});
