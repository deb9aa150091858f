import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';

interface Upgrade {
  port: number;
  path?: string;
  headers?: Record<string, string>;
}

/** What a request to upgrade was answered: 101 and the socket, or a refusal and its words. */
export interface Upgraded {
  status: number;
  text: string;
  headers: IncomingMessage['headers'];
  socket: Socket;
}

/** Asks for a WebSocket by hand: what no client library would let us send. */
export async function upgrade({ port, path = '/kafka', headers = {} }: Upgrade): Promise<Upgraded> {
  const asking = request({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    headers: {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      ...headers,
    },
  });
  asking.end();
  const granted = once(asking, 'upgrade') as Promise<[IncomingMessage, Socket]>;
  const refused = once(asking, 'response') as Promise<[IncomingMessage]>;
  const [response] = await Promise.race([granted, refused]);
  const status = response.statusCode ?? 0;
  if (status === 101) {
    const { socket } = response;
    socket.on('error', () => socket.destroy());
    return { status, text: '', headers: response.headers, socket };
  }
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status, text: text.trim(), headers: response.headers, socket: response.socket };
}

/** A client's frame, masked with zeros unless told otherwise. */
export function frame(
  payload: Uint8Array,
  { opcode = 2, fin = true, masked = true, announcedBytes = payload.length } = {},
): Uint8Array {
  const head = Buffer.alloc(10);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = (masked ? 0x80 : 0) | 127;
  head.writeBigUInt64BE(BigInt(announcedBytes), 2);
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}

/** The close code and words the other end sends, once its socket has ended; frames before it are passed over. */
export async function closeFrame(socket: Socket): Promise<{ code: number; reason: string }> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  const bytes = Buffer.concat(chunks);
  const at = bytes.lastIndexOf(0x88);
  return { code: bytes.readUInt16BE(at + 2), reason: bytes.subarray(at + 4).toString() };
}
