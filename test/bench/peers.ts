import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { type AddressInfo, type Socket, createServer } from 'node:net';

/**
 * The named peers of the broker's benches, each in a process of its own: servers that do nothing but move bytes.
 * `node peers.ts sink` reads, discards and answers; `node peers.ts files` sends what a file holds.
 */
export interface Peer {
  host: string;
  port: number;
  stop(): void;
}

/** Starts one in a child process. */
export async function startPeer(kind: 'sink' | 'files'): Promise<Peer> {
  const child = spawn(process.execPath, [import.meta.filename, kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return { host: '127.0.0.1', port: Number(line), stop: () => child.kill('SIGKILL') };
}

/** A Produce answer of one partition, as long as ours; nobody reads it. */
const ANSWER = Buffer.alloc(60);
ANSWER.writeInt32BE(ANSWER.length - 4);

/** Discards what it reads and answers each message, so that the same driver can fill it: all a broker does not do. */
function sink(socket: Socket): void {
  const length = Buffer.alloc(4);
  let lengthBytes = 0;
  let missing = 0;
  socket.on('data', (chunk: Buffer) => {
    let answers = 0;
    for (let at = 0; at < chunk.length;) {
      if (missing > 0) {
        const taken = Math.min(missing, chunk.length - at);
        at += taken;
        missing -= taken;
        if (missing === 0) answers++;
        continue;
      }
      length[lengthBytes++] = chunk[at++] ?? 0;
      if (lengthBytes < 4) continue;
      lengthBytes = 0;
      missing = length.readInt32BE(0);
    }
    if (answers > 0) socket.write(Buffer.concat(Array.from({ length: answers }, () => ANSWER)));
  });
  socket.on('error', () => socket.destroy());
}

const READ_BYTES = 1024 * 1024;

/** A request is JSON `{path, from, bytes}`; the answer is these bytes of that file. */
function files(socket: Socket): void {
  socket.on('data', (request: Buffer) => {
    const { path, from, bytes } = JSON.parse(request.toString()) as {
      path: string;
      from: number;
      bytes: number;
    };
    void send(socket, path, { from, bytes });
  });
  socket.on('error', () => socket.destroy());
}

async function send(
  socket: Socket,
  path: string,
  { from, bytes }: { from: number; bytes: number },
): Promise<void> {
  const file = await open(path);
  for (let at = from; at < from + bytes;) {
    const size = Math.min(READ_BYTES, from + bytes - at);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    if (!socket.write(buffer.subarray(0, bytesRead))) await once(socket, 'drain');
  }
  await file.close();
}

if (process.argv[1] === import.meta.filename) {
  const server = createServer({ noDelay: true }, process.argv[2] === 'sink' ? sink : files);
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
}
