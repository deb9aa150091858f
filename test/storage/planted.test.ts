import { afterAll, expect, test } from 'vitest';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { Databases, sqliteCrashHome } from '../durable-object/node-home.ts';
import { segmentCrashHome } from '../segments/crash-home.ts';
import { type CrashHome, killEverywhere } from './crash.ts';
import { Script, STORIES } from './crash-script.ts';

const databases = new Databases();
afterAll(() => databases.remove());

/** The home of a store that takes some writes for done without doing them. */
function losing(home: CrashHome, isLost: (write: LogWrite) => boolean): CrashHome {
  return {
    ...home,
    async make() {
      const medium = await home.make();
      return {
        live: (life, changesMax) =>
          medium.live((store) => {
            const commit = store.commit.bind(store);
            store.commit = (writes) => commit(writes.filter((write) => !isLost(write)));
            return life(store);
          }, changesMax),
      };
    },
  };
}

const sound = segmentCrashHome({ power: true });
const FAULTS: Record<string, [CrashHome, keyof typeof STORIES]> = {
  'an answer before the commit': [sqliteCrashHome(databases, { waits: false }), 'appends and rolls'],
  'an answer before the flush': [
    { ...segmentCrashHome({ power: true, flush: 'never' }), forgets: false },
    'appends and rolls',
  ],
  'half a commit where none may be': [
    { ...segmentCrashHome({ power: false }), tears: false },
    'appends and rolls',
  ],
  'a batch that is not stored': [
    losing(sound, (write) => write.type === 'append' && write.baseOffset === 7),
    'appends and rolls',
  ],
  'a value that is not stored': [losing(sound, ({ type }) => type === 'put'), 'trims and values'],
  'a log start that is not moved': [losing(sound, ({ type }) => type === 'trim'), 'trims and values'],
  'an aborted transaction that is not listed': [
    losing(sound, (write) => write.type === 'aborted' && write.fromOffset === 5),
    'aborted transactions',
  ],
  'a truncation that is not made': [
    losing(sound, ({ type }) => type === 'truncate'),
    'a divergence over two segments',
  ],
  'a log that is not dropped': [losing(sound, ({ type }) => type === 'drop'), 'several logs in one commit'],
};

test.each(Object.entries(FAULTS))('the crash contract finds %s', async (_, [home, story]) => {
  const commits = (STORIES[story] ?? []).map((writes) => ({ writes, waits: true }));
  await expect(killEverywhere(home, new Script(new Map(), commits, home))).rejects.toBeInstanceOf(Error);
});
