import { expect, test } from 'vitest';
import { METADATA_VERSION, METADATA_VERSION_FEATURE as feature } from '../../src/metadata/registration.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { Cluster } from './cluster.ts';

const SAFE_DOWNGRADE = 2;
const now = METADATA_VERSION;

test('a feature that is at its level already', () => {
  const cluster = new Cluster();
  expect(cluster.updateFeatures([{ feature, maxVersionLevel: now }])).toMatchObject({
    errorCode: 0,
    results: [{ feature, errorCode: 0 }],
  });
  expect(new Cluster({ log: cluster.log }).image.features.get(feature)).toBe(now);
});

test.each<[string, Parameters<Cluster['updateFeatures']>[0], number, string]>([
  [
    'above what there is',
    [{ feature, maxVersionLevel: now + 1 }],
    95,
    `only supports versions ${now}-${now}`,
  ],
  [
    'below it',
    [{ feature, maxVersionLevel: now - 1, upgradeType: SAFE_DOWNGRADE }],
    95,
    'only supports versions',
  ],
  ['an unknown one', [{ feature: 'no.such', maxVersionLevel: 1 }], 95, 'does not support this feature'],
  ['below 0', [{ feature, maxVersionLevel: -1 }], 95, 'cannot be less than 0'],
  ['an unknown way', [{ feature, maxVersionLevel: now, upgradeType: 9 }], 95, 'the given upgrade type'],
  [
    'twice',
    [
      { feature, maxVersionLevel: now },
      { feature, maxVersionLevel: now },
    ],
    42,
    'at most once',
  ],
])('%s is refused, and nothing is written', (_, updates, errorCode, why) => {
  const cluster = new Cluster();
  const before = cluster.log.length;
  const answer = cluster.updateFeatures(updates);
  expect(answer).toMatchObject({ errorCode, errorMessage: expect.stringContaining(why) as string });
  expect(answer.results.every((result) => result.errorCode === errorCode)).toBe(true);
  expect(cluster.log.length).toBe(before);
});

test('one that is refused takes all with it, and validateOnly writes nothing', () => {
  const cluster = new Cluster();
  const before = cluster.log.length;
  const good = { feature, maxVersionLevel: now };
  expect(cluster.updateFeatures([good, { feature: 'no.such', maxVersionLevel: 1 }]).errorCode).toBe(
    ErrorCode.INVALID_UPDATE_VERSION,
  );
  expect(cluster.updateFeatures([good], true).errorCode).toBe(0);
  expect(cluster.log.length).toBe(before);
});
