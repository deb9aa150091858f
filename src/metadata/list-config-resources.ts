import { ErrorCode } from '../model/errors.ts';
import type {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '../wire/apis/74-list-config-resources.ts';
import { ResourceType, type MetadataImage } from './image.ts';

type Found = ListConfigResourcesResponse['configResources'][number];

/** In Kafka's order. */
const ALL_TYPES: readonly number[] = Object.values(ResourceType);

/**
 * What can be configured: topics and brokers because they are there, groups and subscriptions to client metrics because
 * something is set on them.
 * @param isOld v0 knew client metrics alone, and did not ask.
 */
export function listConfigResources(
  image: MetadataImage,
  { resourceTypes }: ListConfigResourcesRequest,
  { isOld }: { isOld: boolean },
): ListConfigResourcesResponse {
  const asked = isOld ? [ResourceType.CLIENT_METRICS] : resourceTypes.length > 0 ? resourceTypes : ALL_TYPES;
  if (!asked.every((type) => ALL_TYPES.includes(type)))
    return { throttleTimeMs: 0, errorCode: ErrorCode.UNSUPPORTED_VERSION, configResources: [] };
  const configResources = [...new Set(asked)].flatMap((resourceType): Found[] =>
    namesOf(image, resourceType).map((resourceName) => ({ resourceName, resourceType })),
  );
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, configResources };
}

function namesOf(image: MetadataImage, type: number): string[] {
  switch (type) {
    case ResourceType.TOPIC:
      return image.topics().map(({ name }) => name);
    case ResourceType.BROKER:
    case ResourceType.BROKER_LOGGER:
      return image.brokers().map(({ id }) => String(id));
    default:
      return Array.from(image.configuredResources())
        .filter((resource) => resource.type === type)
        .map(({ name }) => name)
        .toSorted();
  }
}
