import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { recompress } from '../../src/records/builder.ts';
import { TestBroker, batch, produce } from '../gateway/harness.ts';
import { MILENA } from '../support/broker-process.ts';
import { Run } from './milena.ts';

const kernels = await loadKernels();
const utf8 = new TextEncoder();

/** A broker on files of its own, and the processes that read and write it. */
export class TransferHome {
  readonly directory: string;
  server: TestBroker;
  readonly runs: Run[] = [];

  private constructor(directory: string, server: TestBroker) {
    this.directory = directory;
    this.server = server;
  }

  static async open(): Promise<TransferHome> {
    const directory = await mkdtemp(join(tmpdir(), 'milena-transfer-'));
    return new TransferHome(directory, await TestBroker.start({ directory: join(directory, 'data') }));
  }

  async close(): Promise<void> {
    await Promise.all(this.runs.map((run) => run.ended('SIGKILL')));
    await this.server.close();
    await rm(this.directory, { recursive: true });
  }

  /** The broker goes on from its files. */
  async restart(): Promise<void> {
    this.server = await TestBroker.start({ directory: this.data });
  }

  get broker(): string {
    return `127.0.0.1:${this.server.broker.kafka.port}`;
  }

  get data(): string {
    return join(this.directory, 'data');
  }

  milena(args: readonly string[], input?: string | Uint8Array): Run {
    const run = Run.milenaWith(input === undefined ? {} : { input }, ...args);
    this.runs.push(run);
    return run;
  }

  /** As {@link milena}, and more input may come. */
  pending(args: readonly string[], input: string): Run {
    const run = Run.milena(...args);
    this.runs.push(run);
    run.child.stdin?.write(input);
    return run;
  }

  async exported(...args: string[]): Promise<string> {
    return wellDone(this.milena(['export', ...args]), /^$/);
  }

  /** Bytes of an export: stdout of a `Run` is text. */
  async exportedRaw(name: string, ...args: string[]): Promise<Buffer> {
    const path = join(this.directory, name);
    const run = Run.shell(`node '${MILENA}' export --format raw ${args.join(' ')} > '${path}'`);
    this.runs.push(run);
    await wellDone(run, /^$/);
    return readFile(path);
  }

  async imported(args: readonly string[], input: string | Uint8Array): Promise<void> {
    const stdout = await wellDone(this.milena(['import', ...args], input), /^imported \d+ records\n$/);
    if (stdout !== '') throw new Error(`stdout is for data: ${stdout}`);
  }

  /** Two partitions with all there is: codecs, bytes that are no text, tombstones, headers twice. */
  async fill(name: string): Promise<{ name: string; id: string }> {
    const client = await this.server.client();
    const topic = await this.server.topic(client, { name, partitions: 2 });
    const tools = { kernels, codecs: nodeCodecs(kernels) };
    const odd = { key: Uint8Array.of(0xff, 0), value: Uint8Array.of(0xc3), timestamp: 1_700_000_000_000 };
    const headers = [
      { key: 'a', value: utf8.encode('1') },
      { key: 'a', value: null },
      { key: 'b', value: Uint8Array.of(0x80) },
    ];
    const batches = [
      batch([{ key: utf8.encode('k'), value: utf8.encode('žluť'), headers }, odd]),
      ...[1, 2, 3, 4].map((codec) =>
        recompress(tools, batch(['x'.repeat(500), { key: utf8.encode('gone'), value: null }]), codec),
      ),
    ];
    for (const [at, each] of batches.entries()) {
      const { errorCode } = await produce(client, topic, await each, { partition: at % 2 });
      if (errorCode !== 0) throw new Error(`batch ${at} was refused: ${errorCode}`);
    }
    return topic;
  }
}

/** Its stdout, once it has ended well. @throws with what it said otherwise. */
async function wellDone(run: Run, stderr: RegExp): Promise<string> {
  const code = await run.ended();
  if (code !== 0 || !stderr.test(run.stderr)) throw new Error(`exit ${code}: ${run.stderr}`);
  return run.stdout;
}
