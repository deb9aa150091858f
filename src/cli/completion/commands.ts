import { command } from '../command.ts';
import { ROOT } from '../commands.ts';
import { oneOf } from '../options.ts';
import { candidatesFor } from './candidates.ts';
import { brokerNames } from './names.ts';
import { SCRIPTS, type Shell } from './scripts.ts';

const SHELLS = Object.keys(SCRIPTS) as Shell[];

/** `milena completion` */
export const completion = command({
  name: 'completion',
  description: 'Print what a shell needs to complete commands, topics and groups',
  args: { shell: { type: 'positional', required: true, description: SHELLS.join(', ') } },
  completes: { shell: SHELLS },
  run({ args }) {
    process.stdout.write(SCRIPTS[oneOf('completion', args.shell, SHELLS)]);
  },
});

/** `milena complete -- WORD…`: what shells ask. It never fails: a prompt is no place for an error. */
export const complete = command({
  name: 'complete',
  description: 'What may stand where the last word stands',
  args: {
    word: { type: 'positional', required: false, description: 'Words behind milena; the last is begun' },
  },
  hasMany: true,
  async run({ words }) {
    const found = await candidatesFor(ROOT, words, brokerNames).catch(() => []);
    const lines = found.map(({ value, description }) => `${value}\t${description ?? ''}\n`);
    process.stdout.write(lines.join(''));
  },
});
