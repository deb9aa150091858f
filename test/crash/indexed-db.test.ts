import { expect, test } from 'vitest';
import { BACK_ENDS, type BackEnd, CHROMIUM_FLAGS, findChromium } from '../browser/chromium.ts';
import { killRounds } from '../browser/kill-rounds.ts';
import { newProfile } from '../browser/profile.ts';

const cases = (Object.keys(BACK_ENDS) as BackEnd[]).flatMap((backEnd) =>
  (['strict', 'relaxed'] as const).map((durability) => ({ backEnd, durability })),
);

test.each(cases)(
  'Chromium killed under load keeps what IndexedDB acknowledged ($backEnd, $durability)',
  async ({ backEnd, durability }) => {
    const profile = newProfile();
    const own = [
      '--headless',
      '--no-sandbox',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile.path}`,
    ];
    const args = [...own, ...CHROMIUM_FLAGS, ...BACK_ENDS[backEnd]];
    const rounds = await killRounds({ executablePath: await findChromium(), args }, durability, [40, 75]);
    expect(profile.files().some((path) => path.includes('.leveldb/'))).toBe(backEnd === 'leveldb');
    expect(rounds).toHaveLength(2);
    for (const { ackedEndOffset, found } of rounds) {
      expect(found.problem).toBeUndefined();
      expect(ackedEndOffset).toBeGreaterThan(40);
      expect(found.endOffset).toBeGreaterThanOrEqual(ackedEndOffset);
    }
  },
);
