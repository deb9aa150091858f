import { ErrorCode, errorInfo, KafkaError } from '../../model/errors.ts';
import type { MetadataImage } from '../../metadata/image.ts';
import type { ShardReply } from '../../ports/shard-link.ts';
import type { Attributes, Carrier, Span, Tracing } from '../../ports/tracing.ts';
import { records } from '../../records/batch.ts';
import { type ProduceRequest, type ProduceResponse, produceApi } from '../../wire/apis/00-produce.ts';
import { type FetchResponse, fetchApi } from '../../wire/apis/01-fetch.ts';
import type { RecordTools } from '../access/by-key.ts';
import type { Call } from '../call.ts';

/** Headers by which a record says what it was sent within (W3C Trace Context). */
const CARRIED: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);
/** Looked into for them; what is larger begins a trace of its own. */
const LOOKED_INTO_MAX_BYTES = 1024 * 1024;
const UTF8 = new TextDecoder();

type Topic = ProduceRequest['topicData'][number];

interface Parts {
  readonly image: MetadataImage;
  readonly recordTools?: RecordTools | undefined;
}

/**
 * Requests that write or bring records, as spans: `produce orders` goes on from what the first record says it was sent
 * within, and has an `append orders-0` for each partition; `fetch` is told only when it brings something.
 */
export class RequestSpans {
  readonly #tracing: Tracing;
  readonly #parts: Parts;

  constructor(tracing: Tracing, parts: Parts) {
    this.#tracing = tracing;
    this.#parts = parts;
  }

  begin(call: Call, request: unknown): void {
    const { api } = call.handler;
    if (api === produceApi) call.span = this.#produce(call, request as ProduceRequest);
    else if (api === fetchApi) call.span = this.#fetch(call);
  }

  #produce(call: Call, { topicData }: ProduceRequest): RequestSpan {
    const names = topicData.map((topic) => this.#nameOf(topic));
    const parent = this.#carriedBy(topicData[0]?.partitionData[0]?.records);
    const span = this.#tracing.start({
      name: `produce ${names.length === 1 ? names[0] : ''}`.trimEnd(),
      kind: 'server',
      attributes: { ...attributesOf(call), 'messaging.destination.name': names.join() },
      ...(parent !== undefined && { parent }),
    });
    return new RequestSpan(span, (body) => this.#append(span, body as ProduceRequest));
  }

  #append(within: Span, { topicData: [topic] }: ProduceRequest): Span | undefined {
    if (topic === undefined) return undefined;
    const name = this.#nameOf(topic);
    const partition = String(topic.partitionData[0]?.index);
    const parent = new Map<string, string>();
    within.inject((header, value) => parent.set(header, value));
    return this.#tracing.start({
      name: `append ${name}-${partition}`,
      kind: 'server',
      attributes: { 'messaging.destination.name': name, 'messaging.destination.partition.id': partition },
      parent,
    });
  }

  #fetch(call: Call): RequestSpan {
    return new RequestSpan(
      this.#tracing.start({ name: 'fetch', kind: 'server', attributes: attributesOf(call) }),
      () => undefined,
    );
  }

  #nameOf({ name, topicId }: Pick<Topic, 'name' | 'topicId'>): string {
    return name || (this.#parts.image.topicById(topicId)?.name ?? topicId);
  }

  /** What is damaged, or cannot be unpacked at once, says nothing. */
  #carriedBy(bytes: Uint8Array | null | undefined): Carrier | undefined {
    const tools = this.#parts.recordTools;
    if (!bytes || bytes.length > LOOKED_INTO_MAX_BYTES || tools === undefined) return undefined;
    try {
      const found = records(bytes, tools.kernels, tools.codecs);
      if (found instanceof Promise || found.length === 0) return undefined;
      const carried = found
        .at(0)
        .headers.flatMap(({ key, value }): [string, string][] =>
          value !== null && CARRIED.has(key) ? [[key, UTF8.decode(value)]] : [],
        );
      return carried.length === 0 ? undefined : new Map(carried);
    } catch (error) {
      // A header that breaks off is the log's to refuse.
      if (error instanceof KafkaError || error instanceof RangeError) return undefined;
      throw error;
    }
  }
}

function attributesOf({ caller, header, handler }: Call): Attributes {
  return {
    'messaging.system': 'kafka',
    'messaging.client.id': caller.clientId,
    'client.address': caller.clientHost.replace('/', ''),
    'messaging.operation.name': handler.api.name.toLowerCase(),
    'messaging.kafka.api.version': header.apiVersion,
  };
}

/** One request, until it is answered. */
export class RequestSpan {
  readonly #span: Span;
  readonly #part: (body: unknown) => Span | undefined;

  constructor(span: Span, part: (body: unknown) => Span | undefined) {
    this.#span = span;
    this.#part = part;
  }

  /** What a shard does for it is a span within. */
  around(body: unknown, onReply: (reply: ShardReply) => void): (reply: ShardReply) => void {
    const part = this.#part(body);
    if (part === undefined) return onReply;
    return (reply) => {
      const answer = (reply.body as ProduceResponse | undefined)?.responses[0]?.partitionResponses[0];
      if (answer !== undefined) part.set({ 'messaging.kafka.offset': answer.baseOffset });
      part.end(errorOf(reply.errorCode ?? answer?.errorCode ?? ErrorCode.NONE));
      onReply(reply);
    };
  }

  /** A span that is not ended is not told. @param body undefined without an answer. */
  answered(body: unknown): void {
    const { responses = [] } = (body ?? {}) as Partial<FetchResponse & ProduceResponse>;
    let bytes = 0;
    let failed: number = ErrorCode.NONE;
    for (const topic of responses as readonly AnyTopic[]) {
      for (const { errorCode, records: found } of topic.partitions ?? topic.partitionResponses ?? []) {
        bytes += found?.length ?? 0;
        failed ||= errorCode;
      }
    }
    const isFetch = (responses as readonly AnyTopic[]).some(({ partitions }) => partitions !== undefined);
    const isEmpty = body !== undefined && 'sessionId' in (body as object) && bytes === 0 && failed === 0;
    if (isEmpty) return;
    if (isFetch) this.#span.set({ 'messaging.message.body.size': bytes });
    this.#span.end(errorOf(failed));
  }
}

interface AnyTopic {
  readonly partitions?: readonly { errorCode: number; records: Uint8Array | null }[];
  readonly partitionResponses?: readonly { errorCode: number; records?: undefined }[];
}

function errorOf(errorCode: number): Error | undefined {
  return errorCode === ErrorCode.NONE ? undefined : new Error(errorInfo(errorCode).name);
}
