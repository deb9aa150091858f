import { ErrorCode } from '../../model/errors.ts';
import { apiVersionsApi } from '../../wire/apis/18-api-versions.ts';
import { updateFeaturesApi } from '../../wire/apis/57-update-features.ts';
import { BrokerError, invalidArgument } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { featuresIn, SOFTWARE } from '../exchange-options.ts';
import { type AdminOptions, type Asking, DO_WITHIN_MS } from './asking.ts';

/** v3 tells features (KIP-584). */
const FEATURES_VERSIONS = { min: 3, max: 4 };
/** v1 can ask whether it could be done. */
const UPDATE_VERSIONS = { min: 1, max: 2 };
const UPGRADE_TYPE = { none: 1, safe: 2, unsafe: 3 } as const;

export interface FeatureDescription {
  name: string;
  /** 0 while it is off. */
  level: number;
  /** The lowest and the highest level that brokers support. */
  min: number;
  max: number;
}

/** Feature levels of a cluster (KIP-584): `client.admin.features`. */
export class FeaturesAdmin {
  readonly #asking: Asking;

  /** @internal */
  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** By name; none where the broker is too old to have any. */
  list({ signal }: AdminOptions = {}): Promise<FeatureDescription[]> {
    return this.#asking.try(async () => featuresOf(await this.#asking.cluster.anyBroker(signal), signal), {
      signal,
    });
  }

  /**
   * Moves features to other levels, all or none; 0 turns one off.
   * @param options.downgrade levels may go down too: `safe` if nothing is lost by it, `unsafe` at any price.
   * @param options.dryRun only asks whether it could be done.
   * @throws BrokerError INVALID_UPDATE_VERSION
   */
  async update(
    levels: Readonly<Record<string, number>>,
    {
      downgrade,
      dryRun = false,
      signal,
    }: AdminOptions & { downgrade?: 'safe' | 'unsafe' | undefined; dryRun?: boolean } = {},
  ): Promise<void> {
    const names = Object.keys(levels);
    if (names.length === 0) throw invalidArgument('no feature is named');
    const upgradeType = UPGRADE_TYPE[downgrade ?? 'none'];
    const request = {
      timeoutMs: DO_WITHIN_MS,
      featureUpdates: Object.entries(levels).map(([feature, maxVersionLevel]) => ({
        feature,
        maxVersionLevel,
        upgradeType,
      })),
      validateOnly: dryRun,
    };
    await this.#asking.try(
      async () => {
        const broker = await this.#asking.controller({ signal });
        const answer = await broker.request(updateFeaturesApi, UPDATE_VERSIONS, request, { signal });
        const failed = [answer, ...answer.results].find(({ errorCode }) => errorCode !== ErrorCode.NONE);
        if (failed) throw new BrokerError(failed.errorCode, names.join(', '), failed.errorMessage);
      },
      { signal },
    );
  }
}

/** None where the broker is too old to have any. */
export async function featuresOf(
  broker: Exchange,
  signal: AbortSignal | undefined,
): Promise<FeatureDescription[]> {
  if ((broker.versions.get(apiVersionsApi.key)?.max ?? 0) < FEATURES_VERSIONS.min) return [];
  const answer = await broker.request(apiVersionsApi, FEATURES_VERSIONS, SOFTWARE, { signal });
  const levels = featuresIn(answer);
  return answer.supportedFeatures
    .map(({ name, minVersion, maxVersion }) => ({
      name,
      level: levels.get(name) ?? 0,
      min: minVersion,
      max: maxVersion,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
