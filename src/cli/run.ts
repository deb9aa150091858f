import { setFlagsFromString } from 'node:v8';
import { ROOT } from './commands.ts';
import { CliError, EXIT } from './errors.ts';
import { branchUsage } from './help.ts';
import { nearest } from './nearest.ts';
import { type Branch, find, visible } from './tree.ts';

const HELP = new Set(['--help', '-h']);
const BROKERS = new Set(['dev', 'start']);

/** Finds the command and runs it. @throws CliError, and what commands throw. */
export async function run(argv: readonly string[]): Promise<void> {
  const { node, path, rest } = find(ROOT, argv);
  const wordsAt = rest.indexOf('--');
  const wantsHelp = (wordsAt < 0 ? rest : rest.slice(0, wordsAt)).some((argument) => HELP.has(argument));
  if ('commands' in node) {
    const [unknown] = rest;
    if (unknown === undefined || wantsHelp) return say(branchUsage(node, path));
    throw notThere(node, path, unknown);
  }
  const command = await node.load();
  if (wantsHelp) return say(await command.usage());
  if (BROKERS.has(path[0] ?? '')) tuneForBroker();
  await command.run(rest);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function notThere(branch: Branch, path: readonly string[], given: string): CliError {
  const usage = ['milena', ...path, '--help'].join(' ');
  if (given.startsWith('-'))
    return new CliError(EXIT.usage, 'USAGE', `there is no option ${given} before a command`, `see ${usage}`);
  const names = visible(branch).map(([name]) => name);
  const near = nearest(given, names);
  const hint = near === undefined ? `commands: ${names.join(', ')}` : `did you mean ${near}?`;
  return new CliError(
    EXIT.usage,
    'USAGE',
    `there is no command "${[...path, given].join(' ')}"`,
    hint,
    usage,
  );
}

/**
 * A broker's memory is mostly buffers of what clients send. By default V8 collects all garbage each time 64 MB of them
 * have come, which took a third of the time of producing at full speed (ARCHITECTURE, "Where the time goes"). What
 * reads and writes streams stays small with V8's own rule.
 */
function tuneForBroker(): void {
  // An older V8, that of Node 22, complains about a flag it does not know.
  if (Number.parseInt(process.versions.v8, 10) >= V8_WITH_EXTERNAL_LIMIT)
    setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString('--min-semi-space-size=16');
  // V8 collects all once a tenth has come to what is alive, as that is soon done: here, once as much has come again.
  setFlagsFromString('--heap-growing-percent=100');
}

const V8_WITH_EXTERNAL_LIMIT = 13;
