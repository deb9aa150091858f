import { text as textIn } from 'node:stream/consumers';
import { withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { integerIn, oneOf, usage } from '../options.ts';
import { askSecret } from '../terminal/ask.ts';

const MECHANISMS = ['scram-sha-256', 'scram-sha-512'] as const;
const name = { type: 'positional', required: true, description: 'Name of the user' } as const;

/** `milena users ls` */
export const list = command({
  name: 'users ls',
  description: 'List who may log in with a password',
  args: brokerArgs,
  async run({ args, report }) {
    await withAdmin({ args, report }, async ({ users }) => {
      report.list('users', await users.list(), [
        { head: 'user', of: (user) => user.name },
        {
          head: 'mechanisms',
          of: ({ mechanisms }) => mechanisms.map(({ mechanism }) => mechanism).join(','),
        },
        {
          head: 'iterations',
          of: ({ mechanisms }) => mechanisms.map(({ iterations }) => iterations).join(','),
        },
      ]);
    });
  },
});

/** `milena users set` */
export const set = command({
  name: 'users set',
  description: 'Add a user, or change a password: it is asked for, or read from stdin',
  args: {
    name,
    mechanism: {
      type: 'enum',
      options: [...MECHANISMS],
      default: 'scram-sha-512',
      description: 'How the password is hashed; clients of both, and of plain, can log in with it',
    },
    iterations: { type: 'string', default: '8192', valueHint: 'N', description: 'Rounds of hashing' },
    ...brokerArgs,
  },
  async run({ args, report }) {
    const iterations = integerIn('--iterations', args.iterations, 4096, 16_384);
    const password = await passwordFor(args.name);
    const mechanism = oneOf('--mechanism', args.mechanism, MECHANISMS);
    await withAdmin({ args, report }, async ({ users }) => {
      await users.setPassword(args.name, password, { mechanism, iterations });
      report.note(`user ${args.name} may log in with ${mechanism}`);
    });
  },
});

/** `milena users rm` */
export const remove = command({
  name: 'users rm',
  description: "Take a user's passwords away; who is logged in stays so until the connection ends",
  args: { name, ...brokerArgs },
  async run({ args, report }) {
    await withAdmin({ args, report }, async ({ users }) => {
      await report.confirm(`remove user ${args.name}?`);
      await users.remove(args.name);
      report.note(`user ${args.name} is gone`);
    });
  },
});

/** Not from the command line, which everybody on this machine can read. */
async function passwordFor(user: string): Promise<string> {
  const given = process.stdin.isTTY
    ? await askSecret(`password of ${user}: `)
    : (await textIn(process.stdin)).replace(/\r?\n$/, '');
  if (given === '')
    throw usage('a password is empty', `write it to stdin: milena users set ${user} < password.txt`);
  return given;
}
