import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CliError, EXIT } from '../errors.ts';

/** Cloudflare's own tool, which knows the account. */
export interface Wrangler {
  /** @returns all it printed. @throws {WranglerFailed} */
  run(args: readonly string[]): Promise<string>;
}

export class WranglerFailed extends Error {
  override name = 'WranglerFailed';
  readonly output: string;

  constructor(args: readonly string[], output: string) {
    super(`wrangler ${args.join(' ')} failed`);
    this.output = output;
  }
}

/** The one of this project, else the one on the path. @throws CliError when there is none. */
export function findWrangler(folder: string): Wrangler {
  const names = process.platform === 'win32' ? ['wrangler.cmd'] : ['wrangler'];
  const places = [join(folder, 'node_modules', '.bin'), ...(process.env['PATH'] ?? '').split(delimiter)];
  const found = places
    .flatMap((place) => names.map((name) => join(place, name)))
    .find((path) => existsSync(path));
  if (found === undefined)
    throw new CliError(
      EXIT.failure,
      'NO_WRANGLER',
      'wrangler, which deploys to Cloudflare, is not here',
      'install it beside your project',
      'npm install --save-dev wrangler',
    );
  return { run: (args) => runProgram(found, args) };
}

function runProgram(path: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true' };
    const child = spawn(path, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new WranglerFailed(args, output))));
  });
}
