#!/usr/bin/env node
import * as zlib from 'node:zlib';
import { version } from '../../package.json' with { type: 'json' };
import { CliError, EXIT } from './errors.ts';

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

/** Whoever read us has read enough: `| head` is no failure. */
function takeClosedPipesForAnEnd(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return;
      // A full disk, for one; what was to be said can be lost too.
      process.stderr.write(`${new CliError(EXIT.failure, 'OUTPUT', error.message).text()}\n`);
      process.exit(EXIT.failure);
    });
}

function report(error: unknown, argv: readonly string[]): void {
  const known = CliError.from(error);
  const isJson = argv.includes('--json');
  process.exitCode = known.exitCode;
  // Who pressed Ctrl-C knows.
  if (known.code === 'INTERRUPTED' && known.hint === undefined) return;
  process.stderr.write(`${isJson ? JSON.stringify(known) : known.text()}\n`);
  if (argv.includes('--verbose') || argv.includes('-v')) console.error(error);
}

async function main(argv: readonly string[]): Promise<void> {
  try {
    refuseOldNode();
    takeClosedPipesForAnEnd();
    if (argv[0] === '--version' || argv[0] === '-V') return console.log(version);
    const { run } = await import('./run.ts');
    await run(argv);
  } catch (error) {
    report(error, argv);
  }
}

await main(process.argv.slice(2));
