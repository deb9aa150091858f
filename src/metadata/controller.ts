import { unreachable } from '../model/assert.ts';
import type { BrokerId, Millis, Uuid } from '../model/ids.ts';
import {
  NOTHING,
  type Decision,
  type Machine,
  type MachineRecord,
  type MachineRequest,
} from '../model/machine.ts';
import type { CreateTopicsRequest } from '../wire/apis/19-create-topics.ts';
import type { DeleteTopicsRequest } from '../wire/apis/20-delete-topics.ts';
import type { InitProducerIdRequest } from '../wire/apis/22-init-producer-id.ts';
import type { CreateAclsRequest } from '../wire/apis/30-create-acls.ts';
import type { DeleteAclsRequest } from '../wire/apis/31-delete-acls.ts';
import type { DescribeConfigsRequest } from '../wire/apis/32-describe-configs.ts';
import type { AlterConfigsRequest } from '../wire/apis/33-alter-configs.ts';
import type { CreatePartitionsRequest } from '../wire/apis/37-create-partitions.ts';
import type { IncrementalAlterConfigsRequest } from '../wire/apis/44-incremental-alter-configs.ts';
import type { AlterClientQuotasRequest } from '../wire/apis/49-alter-client-quotas.ts';
import type { UpdateFeaturesRequest } from '../wire/apis/57-update-features.ts';
import { decideAlterConfigs, decideIncrementalAlterConfigs } from './configs/alter.ts';
import { decideCreateAcls, decideDeleteAcls } from './acls.ts';
import { describeConfigs } from './configs/describe.ts';
import { decideAlterClientQuotas } from './client-quotas.ts';
import { decideCreatePartitions } from './create-partitions.ts';
import { decideCreateTopics } from './create-topics.ts';
import { decideDeleteTopics } from './delete-topics.ts';
import { MetadataImage } from './image.ts';
import type { ControllerContext, Outcome } from './outcome.ts';
import { ProducerIds } from './producer-ids.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  metadataRecordKey,
  type MetadataRecordInit,
} from './records.ts';
import { registrationRecords, type Registration } from './registration.ts';
import { decideUpdateFeatures } from './update-features.ts';
import { whyNotServable } from './servable.ts';
import { decideAlterScram, type ScramChanges } from './alter-scram.ts';
import { imageRecords } from './snapshot.ts';

export interface ControllerOptions {
  readonly clusterId: string;
  readonly nodeId: BrokerId;
  /** What the node was started with, by Kafka's names (`num.partitions`), checked by the host. */
  readonly staticConfigs: ReadonlyMap<string, string>;
  /** Makes ids of topics: random, version 4, never all zeros. */
  readonly uuid: () => Uuid;
}

/** APIs that the metadata shard answers, by key. */
export const CONTROLLER_APIS = [19, 20, 22, 30, 31, 32, 33, 37, 44, 49, 51, 57, 67] as const;
type ControllerApi = (typeof CONTROLLER_APIS)[number];

/**
 * The controller: decides what becomes of topics, brokers and producer ids, and keeps `image` as the log
 * says. One decision is one batch: it counts whole or not at all.
 */
export class ControllerMachine implements Machine {
  readonly image: MetadataImage;
  readonly #context: ControllerContext;
  readonly #producerIds = new ProducerIds();
  /** Types of records that could not be read, and so are not in the image nor in its snapshots. */
  readonly #unread = new Set<number>();

  constructor({ clusterId, nodeId, staticConfigs, uuid }: ControllerOptions) {
    this.image = new MetadataImage({ clusterId, controllerId: nodeId });
    this.#context = { image: this.image, nodeId, staticConfigs, uuid };
  }

  /** Nothing here waits for a time. */
  get wakeAtMs(): Millis {
    return Infinity;
  }

  /** Why this node must not serve what the log holds; undefined when it may. To be asked before `register`. */
  whyNotServable(): string | undefined {
    return whyNotServable(this.image, { nodeId: this.#context.nodeId, unread: this.#unread });
  }

  /** To be appended before the node serves anything. */
  register(registration: Registration): Decision {
    return { records: registrationRecords(this.image, registration).map(toMachineRecord), replies: [] };
  }

  decide(request: MachineRequest): Decision {
    const { records, response } = this.#decide(request.apiKey as ControllerApi, request);
    return { records: records.map(toMachineRecord), replies: [{ to: request.from, body: response }] };
  }

  #decide(apiKey: ControllerApi, { body }: MachineRequest): Outcome<unknown> {
    switch (apiKey) {
      case 19:
        return decideCreateTopics(this.#context, body as CreateTopicsRequest);
      case 20:
        return decideDeleteTopics(this.#context, body as DeleteTopicsRequest);
      case 22:
        return this.#producerIds.decide(this.image, body as InitProducerIdRequest);
      case 30:
        return decideCreateAcls(this.#context, body as CreateAclsRequest);
      case 31:
        return decideDeleteAcls(this.#context, body as DeleteAclsRequest);
      case 32:
        return { records: [], response: describeConfigs(this.#context, body as DescribeConfigsRequest) };
      case 33:
        return decideAlterConfigs(this.#context, body as AlterConfigsRequest);
      case 37:
        return decideCreatePartitions(this.#context, body as CreatePartitionsRequest);
      case 44:
        return decideIncrementalAlterConfigs(this.#context, body as IncrementalAlterConfigsRequest);
      case 49:
        return decideAlterClientQuotas(this.#context, body as AlterClientQuotasRequest);
      case 51:
        return decideAlterScram(this.#context, body as ScramChanges);
      case 57:
        return decideUpdateFeatures(this.#context, body as UpdateFeaturesRequest);
      case 67:
        return this.#producerIds.allocate(this.image);
      default:
        return unreachable(apiKey);
    }
  }

  apply({ value }: MachineRecord): void {
    if (value === null) return;
    const record = decodeMetadataRecord(value);
    if (record) this.image.apply(record);
    else this.#unread.add(metadataRecordKey(value));
  }

  tick(): Decision {
    return NOTHING;
  }

  forget(): void {
    // No reply is ever parked here.
  }

  *snapshot(): Iterable<MachineRecord> {
    for (const record of imageRecords(this.image)) yield toMachineRecord(record);
  }
}

function toMachineRecord(record: MetadataRecordInit): MachineRecord {
  return { key: null, value: encodeMetadataRecord(record) };
}
