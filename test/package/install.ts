import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../cli/milena.ts';

const run = promisify(execFile);
const IS_WINDOWS = process.platform === 'win32';

/** What `npm pack --json` says. */
export interface Packed {
  filename: string;
  size: number;
  unpackedSize: number;
  files: { path: string; size: number }[];
}

/** The package as users get it: packed, and installed from its file alone into a folder that was empty. */
export class InstalledPackage {
  readonly folder: string;
  readonly packed: Packed;

  private constructor(folder: string, packed: Packed) {
    this.folder = folder;
    this.packed = packed;
  }

  static async install(): Promise<InstalledPackage> {
    const folder = await mkdtemp(join(tmpdir(), 'milena-package-'));
    const npm = (...args: string[]) => run('npm', args, { cwd: folder, shell: IS_WINDOWS });
    const { stdout } = await npm('pack', join(ROOT, 'dist'), '--json', '--pack-destination', folder);
    const [packed] = JSON.parse(stdout) as [Packed];
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    // Whatever it wanted to fetch would fail.
    await npm('install', `./${packed.filename}`, '--offline', '--no-audit', '--no-fund', '--ignore-scripts');
    return new InstalledPackage(folder, packed);
  }

  /** Puts packages of ours beside it, which are no part of it. */
  async addFromHere(...packages: string[]): Promise<void> {
    for (const name of packages) {
      const place = join(this.folder, 'node_modules', name);
      await mkdir(dirname(place), { recursive: true });
      await symlink(join(ROOT, 'node_modules', name), place, 'junction');
    }
  }

  /** Runs a program of the folder to its end. @throws with its words when it fails. */
  async run(node: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    return run(node, [...args], { cwd: this.folder });
  }

  /** The command that npm has linked, on this Node. */
  milena(node: string, ...args: string[]) {
    const command = join(this.folder, 'node_modules', '.bin', 'milena');
    const env = { ...process.env, PATH: `${dirname(node)}:${process.env['PATH']}` };
    return spawn(command, args, { cwd: this.folder, env, shell: IS_WINDOWS });
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
