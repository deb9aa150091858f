import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { concat } from '../../../src/model/bytes.ts';
import type { BrokerAddress, ByteStream, StreamEvents, Transport } from '../../../src/ports/transport.ts';

/** The broker's end of a stream: bytes, and when they are read. */
export interface Peer {
  send(bytes: Uint8Array): void;
  /** From now on bytes are left where they are. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** Where a transport leads in a test. */
export interface Home extends AsyncDisposable {
  transport: Transport;
  address: BrokerAddress;
  /** Nobody listens there. */
  nowhere: BrokerAddress;
  /** Told of each stream that arrives: its bytes, and its end. */
  onPeer: (peer: Peer) => { received: (chunk: Uint8Array) => void; ended: () => void };
}

/** Both ends of one stream, and all that is told at them. */
class Ends implements StreamEvents {
  stream!: ByteStream;
  peer!: Peer;
  readonly atClient: Uint8Array[] = [];
  readonly atPeer: Uint8Array[] = [];
  /** Why, each time that the client is told. */
  readonly ends: string[] = [];
  peerEnds = 0;
  drains = 0;
  /** Told after the end. */
  late = 0;
  #changed = Promise.withResolvers<void>();

  received(chunk: Uint8Array): void {
    if (this.ends.length > 0) this.late++;
    this.atClient.push(chunk);
    this.change();
  }
  drained(): void {
    if (this.ends.length > 0) this.late++;
    this.drains++;
    this.change();
  }
  closed(why: string): void {
    this.ends.push(why);
    this.change();
  }
  change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await this.#changed.promise;
  }
  async bytesAtPeer(count: number): Promise<Uint8Array> {
    await this.until(() => sizeOf(this.atPeer) >= count);
    return concat(this.atPeer);
  }
  async bytesAtClient(count: number): Promise<Uint8Array> {
    await this.until(() => sizeOf(this.atClient) >= count);
    return concat(this.atClient);
  }
}

const CHUNK_BYTES = 64 * 1024;
/** More than any system takes from who writes to one that does not read. */
const FLOOD_BYTES = 256 * 1024 * 1024;

/** What every `Transport` does. @param finds whether it looks at the address: others lead to one place. */
export function transportContract(
  name: string,
  start: () => Promise<Home>,
  { finds }: { finds: boolean },
): void {
  describe(`the way: ${name}`, () => {
    const at = {} as Place;
    beforeEach(async () => {
      at.home = await start();
    });
    afterEach(() => at.home[Symbol.asyncDispose]());
    carriesBytes(at);
    endsOnce(at);
    givesUp(at);
    if (finds) findsNobody(at);
  });
}

interface Place {
  home: Home;
}

async function open(home: Home, signal?: AbortSignal): Promise<Ends> {
  const ends = new Ends();
  home.onPeer = (peer) => {
    ends.peer = peer;
    ends.change();
    return {
      received(chunk) {
        ends.atPeer.push(chunk.slice());
        ends.change();
      },
      ended() {
        ends.peerEnds++;
        ends.change();
      },
    };
  };
  ends.stream = await home.transport.open(home.address, ends, signal);
  await ends.until(() => ends.peer !== undefined);
  return ends;
}

/** Bytes in any cut. */
function carriesBytes(at: Place): void {
  test('bytes arrive both ways, in order, however they are cut', async () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 5_000 }), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(chunks, chunks, async (there, back) => {
        const ends = await open(at.home);
        const [up, down] = [concat(there), concat(back)];
        for (const chunk of there) ends.stream.write(chunk.slice());
        for (const chunk of back) ends.peer.send(chunk.slice());
        expect(await ends.bytesAtPeer(up.length)).toEqual(up);
        expect(await ends.bytesAtClient(down.length)).toEqual(down);
        ends.stream.close();
        await ends.until(() => ends.peerEnds > 0);
      }),
      { numRuns: 15 },
    );
  });

  test('a message of three megabytes arrives whole', async () => {
    const ends = await open(at.home);
    const large = numbered(3 * 1024 * 1024 + 17);
    ends.stream.write(large.slice());
    expect(sameAs(await ends.bytesAtPeer(large.length), large)).toBe(true);
    ends.peer.send(large.slice());
    expect(sameAs(await ends.bytesAtClient(large.length), large)).toBe(true);
    ends.stream.close();
  });

  test('what was received is left alone by what comes later', async () => {
    const ends = await open(at.home);
    ends.peer.send(new Uint8Array(1_000).fill(1));
    await ends.bytesAtClient(1_000);
    ends.peer.send(new Uint8Array(100_000).fill(2));
    const all = await ends.bytesAtClient(101_000);
    expect(all.subarray(0, 1_000).every((byte) => byte === 1)).toBe(true);
    ends.stream.close();
  });
}

/** How a stream ends, and what a slow reader means. */
function endsOnce(at: Place): void {
  test('who closes is told once, and the other end hears of it', async () => {
    const ends = await open(at.home);
    ends.stream.close();
    ends.stream.close();
    await ends.until(() => ends.ends.length > 0 && ends.peerEnds > 0);
    expect(ends.stream.write(Uint8Array.of(1))).toBe(true);
    expect(ends.ends).toHaveLength(1);
    expect(ends.late).toBe(0);
  });

  test('nothing is told once it is closed here, whatever is under way', async () => {
    const ends = await open(at.home);
    ends.peer.send(numbered(100_000));
    ends.stream.close();
    await ends.until(() => ends.peerEnds > 0);
    expect(ends.ends).toHaveLength(1);
    expect(ends.late).toBe(0);
  });

  test('when the broker closes, what it sent before arrives first', async () => {
    const ends = await open(at.home);
    ends.peer.send(numbered(50_000));
    ends.peer.close();
    await ends.until(() => ends.ends.length > 0);
    expect(sameAs(concat(ends.atClient), numbered(50_000))).toBe(true);
    expect(ends.ends).toHaveLength(1);
    expect(ends.ends[0]).not.toBe('');
    expect(ends.stream.write(Uint8Array.of(1))).toBe(true);
    ends.stream.close();
    expect(ends.ends).toHaveLength(1);
  });

  test('a broker that does not read: writes say so, and then that there is room; nothing is lost', async () => {
    const ends = await open(at.home);
    ends.peer.pause();
    let sentBytes = 0;
    let hasRoom = true;
    while (hasRoom && sentBytes < FLOOD_BYTES) {
      hasRoom = ends.stream.write(new Uint8Array(CHUNK_BYTES).fill(sentBytes / CHUNK_BYTES));
      sentBytes += CHUNK_BYTES;
      await turn();
    }
    expect(hasRoom).toBe(false);
    ends.peer.resume();
    await ends.until(() => ends.drains > 0);
    const all = await ends.bytesAtPeer(sentBytes);
    expect(all).toHaveLength(sentBytes);
    for (let at = 0; at < sentBytes; at += CHUNK_BYTES) expect(all[at]).toBe((at / CHUNK_BYTES) % 256);
    ends.stream.close();
  });
}

/** Aborts. */
function givesUp(at: Place): void {
  test('one that was aborted opens nothing', async () => {
    const reason = new Error('changed my mind');
    const before = AbortSignal.abort(reason);
    await expect(at.home.transport.open(at.home.address, new Ends(), before)).rejects.toBe(reason);
  });

  test('aborted on its way, it opens nothing that stays', async () => {
    const controller = new AbortController();
    const reason = new Error('too late');
    let peers = 0;
    let ended = 0;
    const silent = new Ends();
    at.home.onPeer = () => {
      peers++;
      return { received: () => {}, ended: () => ended++ };
    };
    const opening = at.home.transport.open(at.home.address, silent, controller.signal);
    controller.abort(reason);
    // Who was quicker than the abort is open, and closes as ever.
    const outcome = await opening.catch((error: unknown) => error);
    if (outcome !== reason) (outcome as ByteStream).close();
    expect(silent.ends).toHaveLength(outcome === reason ? 0 : 1);
    const ends = await open(at.home);
    ends.stream.close();
    await ends.until(() => ends.peerEnds > 0);
    while (ended < peers) await turn();
    expect(silent.atClient).toEqual([]);
  });

  test('a later abort is none of an open stream', async () => {
    const controller = new AbortController();
    const ends = await open(at.home, controller.signal);
    controller.abort();
    ends.peer.send(numbered(10));
    expect(await ends.bytesAtClient(10)).toEqual(numbered(10));
    ends.stream.close();
  });
}

/** Only where the address counts. */
function findsNobody(at: Place): void {
  test('where nobody listens, that is the error', async () => {
    const silent = new Ends();
    const opening = at.home.transport.open(at.home.nowhere, silent);
    await expect(opening).rejects.toThrow(String(at.home.nowhere.port));
    expect(silent.ends).toEqual([]);
  });
}

function sizeOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((size, chunk) => size + chunk.length, 0);
}

function numbered(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at++) bytes[at] = at % 251;
  return bytes;
}

/** `toEqual` looks at each byte as a number, which takes seconds for megabytes. */
function sameAs(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
