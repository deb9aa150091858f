#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import * as zlib from 'node:zlib';
import { type CommandDef, defineCommand, runCommand, showUsage } from 'citty';
import manifest from '../../package.json' with { type: 'json' };
import { CliError, EXIT } from './errors.ts';

const { version } = manifest;
const HELP = new Set(['--help', '-h']);

/** Each is loaded when it is called: the command line starts fast. */
const commands = {
  dev: () => import('./dev.ts').then(({ dev }) => dev),
  doctor: () => import('./doctor.ts').then(({ doctor }) => doctor),
  export: () => import('./export.ts').then(({ exportTopic }) => exportTopic),
  import: () => import('./import.ts').then(({ importTopic }) => importTopic),
  start: () => import('./start.ts').then(({ start }) => start),
};

const main = defineCommand({
  meta: { name: 'milena', version, description: 'Kafka for the edge and the browser' },
  subCommands: commands,
});

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
}

const V8_WITH_EXTERNAL_LIMIT = 13;
const BROKERS = new Set(['dev', 'start']);

/** Runs the command line; every way out has its exit code. */
async function run(argv: readonly string[]): Promise<void> {
  if (argv.includes('--version') || argv.includes('-V')) return console.log(version);
  const name = argv.find((argument) => !argument.startsWith('-'));
  const [first] = argv;
  if (first !== undefined && first !== name && !HELP.has(first)) {
    throw new CliError(
      EXIT.usage,
      'USAGE',
      `there is no option ${first} before a command`,
      'see milena --help',
    );
  }
  if (name === undefined) return showUsage(main);
  if (!isCommand(name)) {
    throw new CliError(
      EXIT.usage,
      'USAGE',
      `there is no command "${name}"`,
      `commands: ${Object.keys(commands).join(', ')}`,
    );
  }
  if (argv.some((argument) => HELP.has(argument)))
    return showUsage((await commands[name]()) as unknown as CommandDef);
  if (BROKERS.has(name)) tuneForBroker();
  await runCommand(main, { rawArgs: [...argv] });
}

/** An older Node has no zstd, and would say so in words nobody understands. */
function refuseOldNode(): void {
  if ('zstdCompressSync' in zlib) return;
  throw new CliError(
    EXIT.failure,
    'OLD_NODE',
    `this is Node ${process.versions.node}, and Milena needs 22.15 or newer`,
    'install a newer Node: https://nodejs.org',
  );
}

function isCommand(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name);
}

try {
  refuseOldNode();
  await run(process.argv.slice(2));
} catch (error) {
  const known = error instanceof CliError ? error : CliError.from(error);
  console.error(known.text());
  process.exitCode = known.exitCode;
}
