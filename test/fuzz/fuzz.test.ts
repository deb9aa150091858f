import { afterAll, describe, expect, test } from 'vitest';
import { APIS } from '../../src/wire/registry.ts';
import { SeededRandom } from '../support/random.ts';
import { corpusOf, recordedFor } from './corpus.ts';
import { damage } from './damage.ts';
import { Cases, TARGETS, shrunk, tried, triedAlone } from './run.ts';
import { READ, requestOf, requests, responseOf, responses } from './targets/messages.ts';
import { FuzzFault, type Target, mustHold } from './target.ts';

const CASES = 20_000;
/** Of a message of each version. */
const DAMAGES = 10;
const SHARES = TARGETS.reduce((sum, { share }) => sum + share, 0);
const seed = Math.floor(Math.random() * 2 ** 32);

describe.each(TARGETS)('$name', (target) => {
  afterAll(() => target.close?.());

  test('what is kept holds, and so does what was recorded', async () => {
    for (const { input, why } of corpusOf(target.name)) {
      const { fault } = await triedAlone(target, input);
      expect(fault && { fault, why }).toBeUndefined();
    }
    for (const input of recordedFor(target.name)) expect((await tried(target, input)).fault).toBeUndefined();
  });

  test(`a slice of new cases holds (seed ${seed})`, async () => {
    const cases = new Cases(target, seed);
    for (let left = Math.ceil((CASES * target.share) / SHARES); left > 0; left--) {
      const input = cases.next();
      const { fault } = await tried(target, input);
      expect(fault && { fault, input: Buffer.from(input).toString('hex') }).toBeUndefined();
    }
  });
});

describe('every version of every API', () => {
  const random = new SeededRandom(seed);
  const versions = APIS.flatMap((api) => {
    const { min, max } = api.versions;
    return Array.from({ length: max - min + 1 }, (_, number) => ({ api, version: min + number }));
  });

  test.each([
    [requests, requestOf],
    [responses, responseOf],
  ] as const)(`$name: is read whole, and damaged is refused or read (seed ${seed})`, async (target, draw) => {
    for (const { api, version } of versions) {
      const input = draw(api, version, random);
      expect(await tried(target, input), `${api.name} v${version}`).toEqual({ outcomes: READ });
      for (let times = 0; times < DAMAGES; times++) {
        const hurt = damage(input, random);
        const { fault } = await tried(target, hurt);
        expect(fault && { fault, input: Buffer.from(hurt).toString('hex') }).toBeUndefined();
      }
    }
  });
});

describe('what is planted is found', () => {
  const planted = {
    name: 'planted',
    share: 1,
    bufferMaxBytes: 100,
    make: (random: SeededRandom) => damage(new Uint8Array(100), random),
  };

  test.each<[string, (input: Uint8Array) => string[]]>([
    [
      'a byte',
      (input) => {
        mustHold(!input.includes(0x81), () => 'planted');
        return [];
      },
    ],
    [
      'memory for a size that is only claimed',
      (input) => [String(new Uint8Array(input.includes(0x81) ? 1e6 : 0).length)],
    ],
    ['memory of a pool', (input) => [String(Buffer.allocUnsafe(input.includes(0x81) ? 1e6 : 0).length)]],
  ])('%s, and its input made small', async (_, check) => {
    const target: Target = { ...planted, check };
    const random = new SeededRandom(1);
    for (;;) {
      const input = planted.make(random);
      if ((await tried(target, input)).fault === undefined) continue;
      const small = await shrunk(target, input, ({ fault }) => fault instanceof FuzzFault);
      expect(small).toEqual(Uint8Array.of(0x81));
      return;
    }
  });
});
