import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../wire/apis/57-update-features.ts';
import { answering, duplicates, type ControllerContext, type Outcome } from './outcome.ts';
import type { MetadataRecordInit } from './records.ts';
import { SUPPORTED_FEATURES } from './registration.ts';

type Update = UpdateFeaturesRequest['featureUpdates'][number];

const UpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const;

/** Moves finalised features up or down (KIP-584): all that are named, or with one error for all none. */
export function decideUpdateFeatures(
  context: ControllerContext,
  { featureUpdates, validateOnly }: UpdateFeaturesRequest,
): Outcome<UpdateFeaturesResponse> {
  const names = featureUpdates.map(({ feature }) => feature);
  const respond = (errorCode: number, errorMessage: string | null): UpdateFeaturesResponse => ({
    throttleTimeMs: 0,
    errorCode,
    errorMessage,
    results: names.map((feature) => ({ feature, errorCode, errorMessage })),
  });
  return answering(
    () => {
      if (duplicates(names).size > 0)
        throw new KafkaError(ErrorCode.INVALID_REQUEST, 'A feature must appear at most once.');
      const records = featureUpdates.map((update) => recordOf(context, update));
      return { records: validateOnly ? [] : records, response: respond(ErrorCode.NONE, null) };
    },
    ({ code, message }) => ({ records: [], response: respond(code, message) }),
  );
}

function recordOf({ image, nodeId }: ControllerContext, update: Update): MetadataRecordInit {
  const { feature: name, maxVersionLevel: level } = update;
  const refuse = (why: string): never => {
    const what = `Invalid update version ${level} for feature ${name}. ${why}`;
    throw new KafkaError(ErrorCode.INVALID_UPDATE_VERSION, what);
  };
  // v0 had a flag instead.
  const upgradeType = update.allowDowngrade ? UpgradeType.SAFE_DOWNGRADE : update.upgradeType;
  const isUpgrade = upgradeType === UpgradeType.UPGRADE;
  const isDowngrade =
    upgradeType === UpgradeType.SAFE_DOWNGRADE || upgradeType === UpgradeType.UNSAFE_DOWNGRADE;
  if (!isUpgrade && !isDowngrade) refuse('The controller does not support the given upgrade type.');
  if (level < 0) refuse('A feature version cannot be less than 0.');
  const range = SUPPORTED_FEATURES.find((supported) => supported.name === name);
  const { minSupportedVersion: min = 0, maxSupportedVersion: max = 0 } = range ?? {};
  if (!range && level > 0) refuse(`Local controller ${nodeId} does not support this feature.`);
  if (level < min || level > max) refuse(`Local controller ${nodeId} only supports versions ${min}-${max}`);
  const now = image.features.get(name) ?? 0;
  if (level < now && isUpgrade)
    refuse(
      "Can't downgrade the version of this feature without setting the upgrade type to either safe or " +
        'unsafe downgrade.',
    );
  if (level > now && isDowngrade) refuse("Can't downgrade to a newer version.");
  return { type: 'featureLevel', name, featureLevel: level };
}
