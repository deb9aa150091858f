/** The six APIs a page speaks, each in one version: flexible ones, which Kafka has since 3.1. */
import type { LeaderEpoch, Millis, Offset } from '../model/ids.ts';
import type { Input, Output } from './bytes.ts';

export interface Api<Question, Answer> {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  /** Its request has no tags in front. */
  readonly isOld?: true;
  write(to: Output, question: Question): unknown;
  read(from: Input): Answer;
}

export interface VersionsOffered {
  apiKey: number;
  min: number;
  max: number;
}

export const apiVersionsApi: Api<undefined, VersionsOffered[]> = {
  name: 'ApiVersions',
  key: 18,
  version: 3,
  write: (to) => to.text('milena-web').text('0').end(),
  read(from) {
    // A broker too old for this version answers in its oldest, with an error in front: it offers nothing for us.
    if (from.int16() !== 0) return [];
    return from.list(() => {
      const versions = { apiKey: from.int16(), min: from.int16(), max: from.int16() };
      from.tags();
      return versions;
    });
  },
};

export interface TopicFacts {
  errorCode: number;
  /** Another topic of the same name has another. */
  id: string;
  partitions: { partition: number; leaderId: number }[];
}

export const metadataApi: Api<
  { topic: string; mayCreate: boolean },
  { brokers: { nodeId: number; host: string; port: number }[]; topic: TopicFacts | undefined }
> = {
  name: 'Metadata',
  key: 3,
  version: 12,
  write: (to, { topic, mayCreate }) =>
    to
      .list([topic], (name) => to.int64(0).int64(0).text(name).end())
      .int8(mayCreate ? 1 : 0)
      .int8(0)
      .end(),
  read(from) {
    from.int32();
    const brokers = from.list(() => {
      const broker = { nodeId: from.int32(), host: from.text() ?? '', port: from.int32() };
      from.text();
      from.tags();
      return broker;
    });
    from.text();
    from.int32();
    const [topic] = from.list(() => topicFacts(from));
    return { brokers, topic };
  },
};

function topicFacts(from: Input): TopicFacts {
  const errorCode = from.int16();
  from.text();
  const id = from.uuid();
  from.int8();
  const partitions = from.list(() => {
    from.int16();
    const facts = { partition: from.int32(), leaderId: from.int32() };
    from.int32();
    for (let lists = 3; lists > 0; lists--) from.list(() => from.int32());
    from.tags();
    return facts;
  });
  from.int32();
  from.tags();
  return { errorCode, id, partitions };
}

/** In the place of a timestamp. */
export const EARLIEST = -2;
export const LATEST = -1;

export const listOffsetsApi: Api<
  { topic: string; partitions: readonly number[]; timestamp: Millis },
  { partition: number; errorCode: number; offset: Offset }[]
> = {
  name: 'ListOffsets',
  key: 2,
  version: 7,
  write: (to, { topic, partitions, timestamp }) =>
    to
      .int32(-1)
      .int8(0)
      .list([topic], (name) => {
        const each = (partition: number) => to.int32(partition).int32(-1).int64(timestamp).end();
        to.text(name).list(partitions, each).end();
      })
      .end(),
  read(from) {
    from.int32();
    return ofTopic(
      from,
      () => from.text(),
      () => {
        const partition = from.int32();
        const errorCode = from.int16();
        from.int64();
        const offset = from.int64();
        from.int32();
        from.tags();
        return { partition, errorCode, offset };
      },
    );
  },
};

export interface FetchPart {
  partition: number;
  errorCode: number;
  /** The log goes another way from this offset on: what was read above it is no more (KIP-595). */
  divergedAt: Offset | undefined;
  records: Uint8Array | null;
}

export const fetchApi: Api<
  {
    topicId: string;
    maxWaitMs: Millis;
    maxBytes: number;
    /** `leaderEpoch` is that of the record before `offset`; -1 when nobody knows. */
    partitions: readonly { partition: number; offset: Offset; leaderEpoch: LeaderEpoch }[];
  },
  { errorCode: number; parts: FetchPart[] }
> = {
  name: 'Fetch',
  key: 1,
  version: 13,
  write: (to, { topicId, maxWaitMs, maxBytes, partitions }) => {
    to.int32(-1).int32(maxWaitMs).int32(1).int32(maxBytes).int8(0).int32(0).int32(-1);
    to.list([topicId], (id) => {
      to.uuid(id).list(partitions, ({ partition, offset, leaderEpoch }) => {
        to.int32(partition).int32(-1).int64(offset).int32(leaderEpoch);
        to.int64(-1).int32(maxBytes).end();
      });
      to.end();
    });
    to.list([], () => {})
      .text('')
      .end();
  },
  read(from) {
    from.int32();
    const errorCode = from.int16();
    from.int32();
    return {
      errorCode,
      parts: ofTopic(
        from,
        () => from.uuid(),
        () => fetchPart(from),
      ),
    };
  },
};

function fetchPart(from: Input): FetchPart {
  const partition = from.int32();
  const errorCode = from.int16();
  for (let offsets = 3; offsets > 0; offsets--) from.int64();
  from.list(() => {
    from.int64();
    from.int64();
    from.tags();
  });
  from.int32();
  const records = from.bytes();
  let divergedAt: Offset | undefined;
  from.tags((tag, field) => {
    if (tag !== 0) return;
    field.int32();
    divergedAt = field.int64();
  });
  return { partition, errorCode, divergedAt, records };
}

export interface Produced {
  errorCode: number;
  baseOffset: Offset;
  /** -1 where the producer's own times are kept. */
  appendTimeMs: Millis;
  message: string | null;
}

export const produceApi: Api<
  { topic: string; partition: number; batch: Uint8Array; timeoutMs: Millis },
  Produced | undefined
> = {
  name: 'Produce',
  key: 0,
  version: 9,
  write: (to, { topic, partition, batch, timeoutMs }) =>
    to
      .text(null)
      .int16(-1)
      .int32(timeoutMs)
      .list([topic], (name) => {
        const each = () => to.int32(partition).bytes(batch).end();
        to.text(name).list([partition], each).end();
      })
      .end(),
  read(from) {
    const [answer] = ofTopic(
      from,
      () => from.text(),
      () => {
        from.int32();
        const errorCode = from.int16();
        const baseOffset = from.int64();
        const appendTimeMs = from.int64();
        from.int64();
        from.list(() => {
          from.int32();
          from.text();
          from.tags();
        });
        const message = from.text();
        from.tags();
        return { errorCode, baseOffset, appendTimeMs, message };
      },
    );
    return answer;
  },
};

/** Who a producer is: what it numbers is stored once, however often it has to be sent. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export const initProducerIdApi: Api<undefined, ProducerIdentity & { errorCode: number }> = {
  name: 'InitProducerId',
  key: 22,
  version: 4,
  write: (to) => to.text(null).int32(0).int64(-1).int16(-1).end(),
  read(from) {
    from.int32();
    return { errorCode: from.int16(), producerId: from.int64(), producerEpoch: from.int16() };
  },
};

/** The parts of the one topic that was asked about. @param name reads what a topic is called by. */
function ofTopic<T>(from: Input, name: () => unknown, read: () => T): T[] {
  const topics = from.list(() => {
    name();
    const parts = from.list(read);
    from.tags();
    return parts;
  });
  return topics.flat();
}
