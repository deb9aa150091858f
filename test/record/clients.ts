import { java } from './java.ts';
import { talkKafkajs } from './kafkajs.ts';
import { kcat } from './kcat.ts';
import { talkPlatformatic } from './platformatic.ts';
import { packageVersion } from './package-version.ts';

/** A client that is recorded. */
export interface RecordedClient {
  /** Undefined when it is not here. */
  version(): Promise<string | undefined>;
  /** What to do about that. */
  missing: string;
  /** Uses a broker for all the client is good for. */
  talk(port: number): Promise<void>;
}

/** By the name of its file. */
export const CLIENTS: Record<string, RecordedClient> = {
  kafkajs: { version: () => packageVersion('kafkajs'), missing: 'npm ci', talk: talkKafkajs },
  platformatic: {
    version: () => packageVersion('@platformatic/kafka'),
    missing: 'npm ci',
    talk: talkPlatformatic,
  },
  librdkafka: kcat,
  java,
};
