import { deleteTopicsApi } from '../../wire/apis/20-delete-topics.ts';
import { controllerHandler } from '../controller.ts';

/** The controller decides; the shards drop their logs when metadata says so. */
export const deleteTopics = controllerHandler({
  api: deleteTopicsApi,
  min: 1,
  max: 6,
  refuse(errorCode, { topicNames, topics }) {
    const named = topicNames.map((name) => ({ name, errorCode }));
    const listed = topics.map(({ name, topicId }) => ({ name, topicId, errorCode }));
    return { throttleTimeMs: 0, responses: [...named, ...listed] };
  },
});
