import { ErrorCode } from '../../model/errors.ts';
import { describeClusterApi } from '../../wire/apis/60-describe-cluster.ts';
import { BrokerError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { AdminOptions, Asking } from './asking.ts';
import { type ClusterHealth, healthOf } from './cluster-health.ts';
import { type FeatureDescription, featuresOf } from './features.ts';
import { type LogDir, logDirsOf } from './log-dirs.ts';
import { type Quorum, quorumOf } from './quorum.ts';

const DESCRIBE_VERSIONS = { min: 0, max: 2 };

export interface ClusterDescription {
  clusterId: string | null;
  /** -1 when there is none, or it does not say. */
  controllerId: number;
  brokers: BrokerDescription[];
  features: FeatureDescription[];
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

  /** Who keeps the metadata: its leader, who votes, who listens, and how far they are. */
  quorum(options: AdminOptions = {}): Promise<Quorum> {
    return quorumOf(this.#asking, options);
  }

  /** Where brokers keep logs, how much there is of each partition, and how much room is left. */
  logDirs(options: AdminOptions = {}): Promise<LogDir[]> {
    return logDirsOf(this.#asking, options);
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
