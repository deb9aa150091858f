import { ControllerMachine } from '../../src/metadata/controller.ts';
import type { Decision, MachineRecord } from '../../src/model/machine.ts';
import type { Uuid } from '../../src/model/ids.ts';
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../src/wire/apis/19-create-topics.ts';
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../src/wire/apis/20-delete-topics.ts';
import type {
  InitProducerIdRequest,
  InitProducerIdResponse,
} from '../../src/wire/apis/22-init-producer-id.ts';
import type {
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '../../src/wire/apis/32-describe-configs.ts';
import type { AlterConfigsRequest, AlterConfigsResponse } from '../../src/wire/apis/33-alter-configs.ts';
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../src/wire/apis/44-incremental-alter-configs.ts';
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../../src/wire/apis/37-create-partitions.ts';
import type { AllocateProducerIdsResponse } from '../../src/wire/apis/67-allocate-producer-ids.ts';
import type {
  UpdateFeaturesRequest,
  UpdateFeaturesResponse,
} from '../../src/wire/apis/57-update-features.ts';
import { ZERO_UUID } from '../../src/model/ids.ts';

export type Topic = CreateTopicsRequest['topics'][number];

export const topicOf = (name: string, changes: Partial<Topic> = {}): Topic => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...changes,
});

/** 22 characters that stand for 16 bytes: the last holds 2 bits. */
export const uuidOf = (n: number): Uuid => `${String(n).padStart(20, '0')}AQ`;

interface Options {
  brokers?: number;
  staticConfigs?: Record<string, string>;
  /** A log to begin with. */
  log?: readonly MachineRecord[];
}

/** A controller and its log, run as a shard runs it: what is decided is appended and applied at once. */
export class Cluster {
  readonly machine: ControllerMachine;
  readonly log: MachineRecord[] = [];
  #uuids = 0;

  constructor({ brokers = 1, staticConfigs = {}, log = [] }: Options = {}) {
    this.machine = new ControllerMachine({
      clusterId: 'cluster',
      nodeId: 1,
      staticConfigs: new Map(Object.entries(staticConfigs)),
      uuid: () => uuidOf(++this.#uuids),
    });
    this.append(log);
    if (log.length === 0) for (let id = 1; id <= brokers; id++) this.register(id, uuidOf(900 + id));
  }

  get image() {
    return this.machine.image;
  }

  append(records: readonly MachineRecord[]): void {
    for (const record of records) {
      this.log.push(record);
      this.machine.apply(record);
    }
  }

  register(brokerId: number, incarnationId: Uuid): Decision {
    const endpoints = [{ name: 'PLAINTEXT', host: `host-${brokerId}`, port: 9092, securityProtocol: 0 }];
    const logDirs = [uuidOf(800 + brokerId)];
    const decision = this.machine.register({ brokerId, incarnationId, endpoints, rack: null, logDirs });
    this.append(decision.records);
    return decision;
  }

  create(topics: readonly Topic[], validateOnly = false): CreateTopicsResponse['topics'] {
    const request: CreateTopicsRequest = { topics: [...topics], timeoutMs: 1_000, validateOnly };
    return this.ask<CreateTopicsResponse>(19, request).topics;
  }

  delete(request: Partial<DeleteTopicsRequest>): DeleteTopicsResponse['responses'] {
    const whole: DeleteTopicsRequest = { topics: [], topicNames: [], timeoutMs: 1_000, ...request };
    return this.ask<DeleteTopicsResponse>(20, whole).responses;
  }

  grow(topics: CreatePartitionsRequest['topics'], validateOnly = false): CreatePartitionsResponse['results'] {
    return this.ask<CreatePartitionsResponse>(37, { topics, timeoutMs: 1_000, validateOnly }).results;
  }

  initProducerId(changes: Partial<InitProducerIdRequest> = {}): InitProducerIdResponse {
    const usual = { transactionalId: null, transactionTimeoutMs: 0, producerId: -1, producerEpoch: -1 };
    return this.ask<InitProducerIdResponse>(22, { ...usual, ...changes });
  }

  allocateProducerIds(): AllocateProducerIdsResponse {
    return this.ask<AllocateProducerIdsResponse>(67, { brokerId: -1, brokerEpoch: -1 });
  }

  describe(
    resourceType: number,
    resourceName: string,
    changes: Partial<DescribeConfigsRequest> & { keys?: string[] } = {},
  ): DescribeConfigsResponse['results'][number] {
    const { keys: configurationKeys = null, ...rest } = changes;
    const resources = [{ resourceType, resourceName, configurationKeys }];
    const request = { resources, includeSynonyms: false, includeDocumentation: false, ...rest };
    const [result] = this.ask<DescribeConfigsResponse>(32, request).results;
    if (!result) throw new Error('no result');
    return result;
  }

  /** Replaces all settings of resources. */
  replace(resources: AlterConfigsRequest['resources'], validateOnly = false) {
    return this.ask<AlterConfigsResponse>(33, { resources, validateOnly }).responses;
  }

  /** Changes single settings of resources. */
  alter(resources: IncrementalAlterConfigsRequest['resources'], validateOnly = false) {
    return this.ask<IncrementalAlterConfigsResponse>(44, { resources, validateOnly }).responses;
  }

  updateFeatures(
    featureUpdates: Partial<UpdateFeaturesRequest['featureUpdates'][number]>[],
    validateOnly = false,
  ) {
    const usual = { feature: '', maxVersionLevel: 0, allowDowngrade: false, upgradeType: 1 };
    const request = {
      timeoutMs: 1_000,
      featureUpdates: featureUpdates.map((update) => ({ ...usual, ...update })),
      validateOnly,
    };
    return this.ask<UpdateFeaturesResponse>(57, request);
  }

  ask<Response>(apiKey: number, body: unknown): Response {
    const caller = { principal: 'User:ANONYMOUS', clientId: 'test', clientHost: '/127.0.0.1' };
    const from = { link: 1, correlationId: 2 };
    const decision = this.machine.decide({ from, caller, apiKey, apiVersion: 0, body });
    this.append(decision.records);
    const [reply] = decision.replies;
    if (reply?.to !== from) throw new Error('no reply');
    return reply.body as Response;
  }
}

/** By id, as of DeleteTopics v6. */
export const byId = (topicId: Uuid) => ({ name: null, topicId });
export const byName = (name: string | null) => ({ name, topicId: ZERO_UUID });
