import { resolve } from 'node:path';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { CliError, EXIT } from '../errors.ts';
import { type ContextFile, writeContexts } from './file.ts';
import { contextFiles, contextNamed, targetOf, urlOf } from './target.ts';

const name = { type: 'positional', required: true, description: 'Name of the context' } as const;
const repo = {
  type: 'boolean',
  description: "In the repository's .milena.json, for all who work on it, not in your own file",
} as const;

/** `milena context ls` */
export const list = command({
  name: 'context ls',
  description: 'List contexts, and which is in use',
  args: {},
  async run({ report }) {
    const { repository, user } = await contextFiles();
    const { context: used } = await targetOf({});
    // The repository's come last, so that they stand for those of the same name.
    const contexts = new Map(
      [user, repository].flatMap(({ contexts: some, path }) =>
        Array.from(some, ([each, { url }]) => [each, { name: each, url, file: path, inUse: each === used }]),
      ),
    );
    report.list(
      'contexts',
      [...contexts.values()],
      [
        { head: 'name', of: (context) => context.name },
        { head: 'url', of: ({ url }) => url },
        { head: 'in use', of: ({ inUse }) => (inUse ? 'yes' : '') },
        { head: 'file', of: ({ file }) => file },
      ],
    );
  },
});

/** `milena context show` */
export const show = command({
  name: 'context show',
  description: 'Which broker a command speaks to here, and who says so',
  args: brokerArgs,
  async run({ args, report }) {
    const { url, source, context = null } = await targetOf(args);
    report.facts({ url, source, context }, [
      ['url', url],
      ['from', source],
    ]);
  },
});

/** `milena context add` */
export const add = command({
  name: 'context add',
  description: 'Name a broker; a name that is there gets the new address',
  args: {
    name,
    address: {
      type: 'positional',
      required: true,
      description: 'kafka://host:port, wss://host/kafka, host:port',
    },
    'client-config': {
      type: 'string',
      valueHint: 'FILE',
      description: 'Who to be there: a file with credentials, of which only the path is kept',
    },
    repo,
    use: { type: 'boolean', description: 'Use it from now on' },
  },
  completes: { name: 'context', 'client-config': 'file' },
  async run({ args, report }) {
    const url = urlOf(args.address);
    // Of all that is said here only this needs the client.
    const { parseUrl } = await import('../../client/connect.ts');
    parseUrl(url);
    const file = await fileFor(args.repo);
    const config = args['client-config'];
    const context = { url, ...(config !== undefined && { clientConfig: resolve(config) }) };
    const contexts = new Map(file.contexts).set(args.name, context);
    await writeContexts({ ...file, contexts, use: args.use ? args.name : file.use });
    report.note(`context ${args.name} is ${url}, in ${file.path}`);
    if (args.use) await checkUsed(args.name, report.warn.bind(report));
  },
});

/** `milena context use` */
export const use = command({
  name: 'context use',
  description: 'Choose the context of commands that name no broker',
  args: { name, repo },
  completes: { name: 'context' },
  async run({ args, report }) {
    const { url } = contextNamed(await contextFiles(), args.name);
    const file = await fileFor(args.repo);
    await writeContexts({ ...file, use: args.name });
    report.note(`commands speak to ${args.name}, ${url}`);
    await checkUsed(args.name, report.warn.bind(report));
  },
});

/** `milena context rm` */
export const remove = command({
  name: 'context rm',
  description: 'Forget a context',
  args: { name, repo },
  completes: { name: 'context' },
  async run({ args, report }) {
    const file = await fileFor(args.repo);
    const contexts = new Map(file.contexts);
    if (!contexts.delete(args.name))
      throw new CliError(
        EXIT.notFound,
        'UNKNOWN_CONTEXT',
        `there is no context ${args.name} in ${file.path}`,
        args.repo ? undefined : 'with --repo it is looked for in the file of the repository',
        'milena context ls',
      );
    await writeContexts({ ...file, contexts, use: file.use === args.name ? undefined : file.use });
    report.note(`context ${args.name} is gone from ${file.path}`);
  },
});

async function fileFor(isRepository: boolean | undefined): Promise<ContextFile> {
  const { repository, user } = await contextFiles();
  return isRepository ? repository : user;
}

/** Something stronger may say otherwise. */
async function checkUsed(wanted: string, warn: (text: string) => void): Promise<void> {
  const { context, source } = await targetOf({});
  if (context !== wanted) warn(`${source} is stronger and stays in use`);
}
