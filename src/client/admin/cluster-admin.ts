import { ErrorCode } from '../../model/errors.ts';
import { apiVersionsApi } from '../../wire/apis/18-api-versions.ts';
import { describeClusterApi } from '../../wire/apis/60-describe-cluster.ts';
import { BrokerError } from '../errors.ts';
import { type Exchange, SOFTWARE } from '../exchange.ts';
import type { AdminOptions, Asking } from './asking.ts';
import { type ClusterHealth, healthOf } from './cluster-health.ts';

const DESCRIBE_VERSIONS = { min: 0, max: 2 };
/** v3 tells features (KIP-584). */
const FEATURES_VERSIONS = { min: 3, max: 4 };

export interface ClusterDescription {
  clusterId: string | null;
  /** -1 when there is none, or it does not say. */
  controllerId: number;
  brokers: BrokerDescription[];
  features: { name: string; level: number; min: number; max: number }[];
}

export interface BrokerDescription {
  id: number;
  host: string;
  port: number;
  rack: string | null;
}

/** The cluster as a whole: `client.admin.cluster`. */
export class ClusterAdmin {
  readonly #asking: Asking;

  /** @internal */
  constructor(asking: Asking) {
    this.#asking = asking;
  }

  describe({ signal }: AdminOptions = {}): Promise<ClusterDescription> {
    return this.#asking.try(
      async () => {
        const broker = await this.#asking.cluster.anyBroker(signal);
        const [about, features] = await Promise.all([
          broker.versions.has(describeClusterApi.key)
            ? describedBy(broker, signal)
            : this.#byMetadata(signal),
          featuresOf(broker, signal),
        ]);
        about.brokers.sort((a, b) => a.id - b.id);
        return { ...about, features };
      },
      { signal },
    );
  }

  /**
   * Whether all is well: each broker answers, there is a controller, each partition has a leader and all its replicas
   * are in sync. It asks once: what is not well is said, and not waited for.
   * @throws ConnectionLost when no broker answers.
   */
  health(options: AdminOptions = {}): Promise<ClusterHealth> {
    return healthOf(this.#asking.cluster, options);
  }

  async #byMetadata(signal: AbortSignal | undefined): Promise<Omit<ClusterDescription, 'features'>> {
    const { brokers, clusterId, controllerId } = await this.#asking.cluster.metadata([], signal);
    const listed = brokers.map(({ nodeId, host, port, rack }) => ({ id: nodeId, host, port, rack }));
    return { clusterId, controllerId, brokers: listed };
  }
}

async function describedBy(
  broker: Exchange,
  signal: AbortSignal | undefined,
): Promise<Omit<ClusterDescription, 'features'>> {
  const request = { includeClusterAuthorizedOperations: false };
  const answer = await broker.request(describeClusterApi, DESCRIBE_VERSIONS, request, { signal });
  const { errorCode, errorMessage, clusterId, controllerId } = answer;
  if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, 'the cluster', errorMessage);
  const brokers = answer.brokers.map(({ brokerId, host, port, rack }) => ({
    id: brokerId,
    host,
    port,
    rack,
  }));
  return { clusterId, controllerId, brokers };
}

/** None where the broker is too old to have any. */
async function featuresOf(
  broker: Exchange,
  signal: AbortSignal | undefined,
): Promise<ClusterDescription['features']> {
  if ((broker.versions.get(apiVersionsApi.key)?.max ?? 0) < FEATURES_VERSIONS.min) return [];
  const answer = await broker.request(apiVersionsApi, FEATURES_VERSIONS, SOFTWARE, { signal });
  const levels = new Map(
    answer.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]),
  );
  return answer.supportedFeatures
    .map(({ name, minVersion, maxVersion }) => ({
      name,
      level: levels.get(name) ?? 0,
      min: minVersion,
      max: maxVersion,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
