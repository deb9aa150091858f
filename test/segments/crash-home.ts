import type { SegmentStoreOptions } from '../../src/segments/store.ts';
import type { CrashHome } from '../storage/crash.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { openStore } from './open.ts';

interface CrashOptions extends Partial<SegmentStoreOptions> {
  /** Whether a kill takes the power too, and what was not flushed; `in turn`: the first does not, two do, and so on. */
  power: boolean | 'in turn';
  /** See `MemoryFiles`. */
  writesNow?: boolean;
}

/** Segments on files in memory: a kill is at any call that changes the disk. */
export function segmentCrashHome({ power, writesNow = false, ...options }: CrashOptions): CrashHome {
  return {
    tears: true,
    forgets: power !== false && options.flush === 'never',
    async make() {
      let files = new MemoryFiles();
      files.writesNow = writesNow;
      let lives = 0;
      return {
        async live(life, changesMax = Infinity) {
          files.diesAtCall = changesMax;
          try {
            const store = await openStore(files, options);
            await life(store);
            await store.close();
          } catch (error) {
            if (!files.isDead) throw error;
          }
          const { calls } = files;
          files = files.crash({ power: power === 'in turn' ? ++lives % 3 !== 1 : power });
          return calls;
        },
      };
    },
  };
}
