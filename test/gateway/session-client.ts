import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { type FetchSettings, type Fetched, type RawClient, type Wanted, fetchBody } from './harness.ts';

export interface TopicName {
  name: string;
  id: string;
}

export interface SessionAnswer {
  errorCode: number;
  sessionId: number;
  /** By topic (its name, or its id where the version has ids) and partition, in the order of the answer. */
  partitions: Map<string, Fetched>;
}

/** Fetches with a session as Java clients do: opens one, goes on from epoch to epoch, opens anew after an error. */
export class SessionClient {
  readonly client: RawClient;
  readonly version: number;
  sessionId = 0;
  epoch = 0;

  constructor(client: RawClient, version = 12) {
    this.client = client;
    this.version = version;
  }

  /** How the partition is called in answers. */
  keyOf(topic: TopicName, partition = 0): string {
    return `${this.version >= 13 ? topic.id : topic.name}/${partition}`;
  }

  /** One request; a session that is open names only what changes. */
  async fetch(
    wanted: readonly Wanted[],
    {
      forget = [],
      ...settings
    }: FetchSettings & { forget?: readonly { topic: TopicName; partition?: number }[] } = {},
  ): Promise<SessionAnswer> {
    const forgottenTopicsData = forget.map(({ topic, partition = 0 }) => ({
      topic: topic.name,
      topicId: topic.id,
      partitions: [partition],
    }));
    const session = { sessionId: this.sessionId, sessionEpoch: this.epoch };
    const body = { ...fetchBody(wanted, { ...session, ...settings }), forgottenTopicsData };
    const { errorCode, sessionId, responses } = await this.client.send(fetchApi, this.version, body);
    if (errorCode === 0 && sessionId !== 0) this.epoch = Math.max(1, this.epoch + 1);
    else this.epoch = 0;
    if (errorCode === 0) this.sessionId = sessionId;
    const partitions = new Map<string, Fetched>();
    for (const topic of responses) {
      for (const fetched of topic.partitions) {
        partitions.set(
          `${this.version >= 13 ? topic.topicId : topic.topic}/${fetched.partitionIndex}`,
          fetched,
        );
      }
    }
    return { errorCode, sessionId, partitions };
  }
}
