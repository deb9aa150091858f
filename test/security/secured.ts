import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { Broker, type BrokerOptions } from '../../src/hosts/node/broker.ts';
import type { SecurityProtocol } from '../../src/hosts/node/security/doors.ts';
import type { Log } from '../../src/ports/log.ts';
import { createAclsApi } from '../../src/wire/apis/30-create-acls.ts';
import { alterUserScramCredentialsApi } from '../../src/wire/apis/51-alter-user-scram-credentials.ts';
import { RawClient } from '../gateway/raw-client.ts';

export const AUTHORIZER = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';
export const MECHANISMS = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER';

const SETTINGS = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '1',
  'sasl.enabled.mechanisms': MECHANISMS,
  'connection.failed.authentication.delay.ms': '20',
};

const HASHES = { 'SCRAM-SHA-256': [1, 'sha256', 32], 'SCRAM-SHA-512': [2, 'sha512', 64] } as const;
export type ScramName = keyof typeof HASHES;

/** A broker that wants to know who comes, and a second door, in plain text, for whoever sets it up. */
export class Secured {
  readonly broker: Broker;
  readonly logged: string[];

  private constructor(broker: Broker, logged: string[]) {
    this.broker = broker;
    this.logged = logged;
  }

  static async start({
    protocol = 'SASL_PLAINTEXT',
    settings = {},
    ...options
  }: { protocol?: SecurityProtocol; settings?: Readonly<Record<string, string>> } & Omit<
    BrokerOptions,
    'settings'
  > = {}): Promise<Secured> {
    const logged: string[] = [];
    const line = (msg: string, fields?: object) => void logged.push(`${msg} ${JSON.stringify(fields)}`);
    const log: Log = { debug: line, info: line, warn: line, error: line };
    const host = '127.0.0.1';
    const broker = await Broker.start({
      listeners: [
        { name: 'CLIENTS', protocol, host, port: 0 },
        { name: 'SETUP', protocol: 'PLAINTEXT', host, port: 0 },
      ],
      settings: new Map(Object.entries({ ...SETTINGS, ...settings })),
      log,
      ...options,
    });
    return new Secured(broker, logged);
  }

  /** `host:port` of those who have to say who they are. */
  get address(): string {
    return addressOf(this.broker.kafka);
  }

  /** Of the door for whoever sets it up. */
  get setup(): { host: string; port: number } {
    const [, setup] = this.broker.listeners;
    if (setup === undefined) throw new Error('there is no second listener');
    return setup;
  }

  async rawSetup(): Promise<RawClient> {
    const client = await RawClient.connect(this.setup);
    onTestFinished(() => client.destroy());
    return client;
  }

  /** Somebody who may log in, by these mechanisms. */
  async addUser(
    name: string,
    password: string,
    mechanisms: readonly ScramName[] = ['SCRAM-SHA-256'],
  ): Promise<void> {
    const client = await RawClient.connect(this.setup);
    const upsertions = mechanisms.map((each) => {
      const [mechanism, hash, length] = HASHES[each];
      const salt = new Uint8Array(randomBytes(20));
      const saltedPassword = new Uint8Array(pbkdf2Sync(password, salt, 4096, length, hash));
      return { name, mechanism, iterations: 4096, salt, saltedPassword };
    });
    const { results } = await client.send(alterUserScramCredentialsApi, 0, { deletions: [], upsertions });
    client.destroy();
    const failed = results.find(({ errorCode }) => errorCode !== 0);
    if (failed !== undefined) throw new Error(`${name}: ${failed.errorCode} ${failed.errorMessage}`);
  }

  /** Rules as numbers of the protocol; literal, from anywhere, allowed unless said. */
  async allow(...rules: readonly Rule[]): Promise<void> {
    const client = await RawClient.connect(this.setup);
    const creations = rules.map((rule) => ({
      resourcePatternType: 3,
      host: '*',
      permissionType: 3,
      ...rule,
    }));
    const { results } = await client.send(createAclsApi, 3, { creations });
    client.destroy();
    const failed = results.find(({ errorCode }) => errorCode !== 0);
    if (failed !== undefined) throw new Error(`${failed.errorCode} ${failed.errorMessage}`);
  }

  close(): Promise<void> {
    return this.broker.close({ timeoutMs: 100 });
  }
}

export interface Rule {
  resourceType: number;
  resourceName: string;
  principal: string;
  operation: number;
  resourcePatternType?: number;
  host?: string;
  permissionType?: number;
}

export function addressOf({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`;
}
