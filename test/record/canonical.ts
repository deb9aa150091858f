import { decodeResponse } from '../../src/wire/frame.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { APIS } from '../../src/wire/registry.ts';
import { formatGolden, type GoldenFrame } from './golden.ts';
import { type Exchange, int32, replaced } from './proxy.ts';

const CORRELATION_ID = 1;
const KAFKA_PORT = 9092;
/** Larger frames show no more. */
const FRAME_MAX_BYTES = 2048;
/** Random ids in text: as Kafka’s clients print them, and as Milena does behind a member’s client id. */
const RANDOM_TEXT = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=golden-|console-consumer-)[\w-]{22}/g;

/**
 * What differs from one recording to the next and is as long each time: where it stands in the bytes it becomes a
 * constant. What a checksum covers (times in batches) stays.
 */
export class Canon {
  readonly #changes: { from: Buffer; to: Buffer }[] = [];
  readonly #known = new Set<string>();
  readonly #brokerPort: number;

  /** Learns the ids in `exchanges` in the order they were told. */
  constructor(exchanges: readonly Exchange[], brokerPort: number) {
    this.#brokerPort = brokerPort;
    for (const { apiKey, apiVersion, request, response } of exchanges) {
      for (const frame of [request, response]) this.#learnTexts(frame ?? Buffer.alloc(0));
      if (apiKey === metadataApi.key && response !== undefined) this.#learnIds(apiVersion, response);
    }
  }

  #learn(from: Buffer, to: (count: number) => Buffer): void {
    if (this.#known.has(from.toString('hex'))) return;
    this.#known.add(from.toString('hex'));
    this.#changes.push({ from, to: to(this.#changes.length + 1) });
  }

  #learnTexts(frame: Buffer): void {
    for (const [text] of frame.toString('latin1').matchAll(RANDOM_TEXT)) {
      this.#learn(Buffer.from(text), (count) => Buffer.from(String(count).padStart(text.length, '0')));
    }
  }

  #learnIds(version: number, response: Buffer): void {
    const { clusterId, topics } = decodeResponse(metadataApi, version, response).body;
    if (clusterId !== null) this.#learn(Buffer.from(clusterId), () => Buffer.from('AAAAAAAAAAAAAAAAAAAAAQ'));
    for (const { topicId } of topics) {
      const id = Buffer.from(topicId, 'base64url');
      if (id.some((byte) => byte !== 0))
        this.#learn(id, (count) => Buffer.from(`topic ${String(count).padStart(10, '0')}`));
    }
  }

  /** `at` is where the correlation id stands. */
  bytes(frame: Buffer, at: number): Buffer {
    let made = replaced(frame, int32(this.#brokerPort), int32(KAFKA_PORT));
    for (const { from, to } of this.#changes) made = replaced(made, from, to);
    int32(CORRELATION_ID).copy(made, at);
    return made;
  }
}

/** Of every API and version the smallest exchange and the two largest, no two alike, by key. */
export function goldenOf(exchanges: readonly Exchange[], brokerPort: number): GoldenFrame[] {
  const canon = new Canon(exchanges, brokerPort);
  const kinds = new Map<string, Map<string, GoldenFrame[]>>();
  for (const exchange of exchanges) {
    const frames = framesOf(exchange, canon);
    if (frames.some(({ bytes }) => bytes.length > FRAME_MAX_BYTES)) continue;
    const kind = `${String(exchange.apiKey).padStart(3)} ${String(exchange.apiVersion).padStart(3)}`;
    kinds.set(kind, (kinds.get(kind) ?? new Map()).set(formatGolden('', frames), frames));
  }
  return [...kinds.keys()].toSorted().flatMap((kind) => {
    const bySize = [...kinds.get(kind)!.values()].toSorted((a, b) => sizeOf(a) - sizeOf(b));
    return bySize.filter((_, at) => at === 0 || at >= bySize.length - 2).flat();
  });
}

function framesOf({ apiKey, apiVersion, request, response }: Exchange, canon: Canon): GoldenFrame[] {
  const api = APIS.find(({ key }) => key === apiKey);
  if (api === undefined) throw new Error(`a client sent an API of key ${apiKey}`);
  const kind = { api: api.name, version: apiVersion };
  return [
    { ...kind, part: 'request' as const, bytes: canon.bytes(request, 4) },
    ...(response === undefined
      ? []
      : [{ ...kind, part: 'response' as const, bytes: canon.bytes(response, 0) }]),
  ];
}

function sizeOf(frames: readonly GoldenFrame[]): number {
  return frames.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
