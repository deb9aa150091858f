import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { type EdgeConfig, writeCapnp } from './edge-bundle.ts';

/** Its package says where the program of this platform is: its own command is a script that starts it. */
const { default: WORKERD } = createRequire(import.meta.url)('workerd') as { default: string };
/** Of the child: where workerd says which ports it listens on. */
const CONTROL_FD = 3;

export interface Edge extends AsyncDisposable {
  /** Of HTTP: `127.0.0.1:41234`. */
  readonly host: string;
  readonly tcpPort: number | undefined;
  readonly pid: number;
  /** What it printed so far. */
  readonly output: () => string;
  /** As a power cut would; resolves once it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** The whole cluster as one workerd process, ready. @param bundle of `bundleEdge`. */
export async function startEdge(
  bundle: string,
  config: Omit<EdgeConfig, 'http' | 'tcp'> & { http?: string; tcp?: string | undefined },
): Promise<Edge> {
  await mkdir(config.directory, { recursive: true });
  const capnp = await writeCapnp(bundle, { http: '127.0.0.1:0', ...config });
  const args = ['serve', capnp, `--control-fd=${CONTROL_FD}`];
  const child = spawn(WORKERD, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ports = await listening(child, config.tcp === undefined ? ['http'] : ['http', 'tcp']).catch(
    (error: unknown) => {
      child.kill('SIGKILL');
      throw new Error(`${String(error)}\n${output}`);
    },
  );
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    host: `127.0.0.1:${ports.get('http')}`,
    tcpPort: ports.get('tcp'),
    pid: child.pid ?? 0,
    output: () => output,
    kill,
    [Symbol.asyncDispose]: () => kill(),
  };
}

async function listening(child: ChildProcess, names: readonly string[]): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  const control = child.stdio[CONTROL_FD];
  if (control === null || control === undefined || !('read' in control)) throw new Error('no control pipe');
  for await (const line of createInterface({ input: control })) {
    const { event, socket, port } = JSON.parse(line) as { event: string; socket: string; port: number };
    if (event === 'listen') ports.set(socket, port);
    if (names.every((name) => ports.has(name))) return ports;
  }
  throw new Error('workerd ended before it listened');
}
