import type { ArgDef } from 'citty';
import type { Command } from '../../../src/cli/command.ts';
import { ROOT } from '../../../src/cli/commands.ts';
import { EXIT } from '../../../src/cli/errors.ts';
import type { Branch } from '../../../src/cli/tree.ts';
import { code, table } from './markdown.ts';

interface Listed {
  name: string;
  description: string;
  command: Command;
}

/** What exit codes mean, by their names in the code. */
const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'It is done. Also when whoever read the output has read enough (`| head`).',
  failure: 'It failed.',
  usage: 'It was called in a way it cannot be.',
  notFound: 'What was named is not there.',
  unauthorised: 'It may not be done.',
  unreachable: 'No broker can be reached, or none answers in time.',
  unsatisfied: 'A check that was asked for is not satisfied: health, a lag threshold.',
  interrupted: 'Ctrl-C ended it.',
  terminated: 'SIGTERM ended it.',
};

export async function commandLinePage(): Promise<string> {
  const all = await commandsOf(ROOT, []);
  const [first, ...others] = all;
  const isCommon = (name: string) => all.every(({ command }) => Object.hasOwn(command.args, name));
  const common = Object.keys(first?.command.args ?? {}).filter((name) => others.length > 0 && isCommon(name));
  const commonRows = common.map((name) => optionRow(name, first?.command.args[name] ?? {}));
  const exits = Object.entries(EXIT).map(([name, number]) => [
    String(number),
    MEANINGS[name as keyof typeof EXIT],
  ]);
  return `# The command line

stdout carries data alone; what is said about it goes to stderr. A terminal gets an aligned table, a pipe
gets no table art,
\`NO_COLOR\` is heeded. Errors read \`error[CODE]: what happened\`, what to do, and a command for that; with
\`--json\` they are an
object on stderr.

\`source <(milena completion bash)\` teaches a shell the commands, and the names of topics and groups.

## Options of all commands

${table(['option', 'default', 'what it does'], commonRows)}

## Exit codes

${table(['code', 'what it means'], exits)}

${all.map((each) => sectionOf(each, common)).join('\n\n')}
`;
}

async function commandsOf({ commands }: Branch, path: readonly string[]): Promise<Listed[]> {
  const all: Listed[] = [];
  for (const [word, node] of Object.entries(commands)) {
    const words = [...path, word];
    if ('commands' in node) all.push(...(await commandsOf(node, words)));
    else if (!node.isHidden)
      all.push({ name: words.join(' '), description: node.description, command: await node.load() });
  }
  return all;
}

function sectionOf({ name, description, command }: Listed, common: readonly string[]): string {
  const own = Object.entries(command.args).filter(([each]) => !common.includes(each));
  const words = own.filter(([, { type }]) => type === 'positional');
  const options = own.filter(([, { type }]) => type !== 'positional');
  const usage = words.map(([word, { required = true }], at) => {
    const many = command.hasMany && at === words.length - 1 ? '…' : '';
    return required ? `${word.toUpperCase()}${many}` : `[${word.toUpperCase()}${many}]`;
  });
  const rows = [
    ...words.map(([word, arg]) => [code(word.toUpperCase()), defaultOf(arg), arg.description ?? '']),
    ...options.map(([option, arg]) => optionRow(option, arg)),
  ];
  const line = code(['milena', name, ...usage, ...(options.length > 0 ? ['[options]'] : [])].join(' '));
  return [
    `## ${name}`,
    `${description}.`,
    line,
    rows.length > 0 ? table(['option', 'default', 'what it does'], rows) : '',
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function optionRow(name: string, arg: ArgDef): string[] {
  const aliases = 'alias' in arg ? [arg.alias ?? []].flat() : [];
  // A flag that is so anyway is there to be switched off.
  const shown = arg.type === 'boolean' && arg.default === true ? `--no-${name}` : `--${name}`;
  const hint = arg.type === 'enum' ? arg.options?.join('|') : 'valueHint' in arg ? arg.valueHint : undefined;
  const takes = arg.type === 'boolean' ? '' : ` ${hint ?? 'VALUE'}`;
  const names = [...aliases.map((alias) => (alias.length === 1 ? `-${alias}` : `--${alias}`)), shown + takes];
  const negative = 'negativeDescription' in arg ? arg.negativeDescription : undefined;
  const description =
    arg.type === 'boolean' && arg.default === true ? (negative ?? arg.description) : arg.description;
  return [names.map(code).join(', '), defaultOf(arg), description ?? ''];
}

function defaultOf(arg: ArgDef): string {
  const { default: value } = arg as { default?: unknown };
  return typeof value === 'string' && value !== '' ? code(value) : '';
}
