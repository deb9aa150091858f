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
  mutations: {
    strictFrom: 5,
    costs: ({ gateway: { image } }, { topicNames, topics }) => [
      ...topicNames.map((name) => image.topic(name)?.partitions.length ?? 0),
      ...topics.map(({ name, topicId }) => {
        const topic = name === null ? image.topicById(topicId) : image.topic(name);
        return topic?.partitions.length ?? 0;
      }),
    ],
    only: (request, may) => ({
      ...request,
      topicNames: request.topicNames.filter((_, item) => may(item)),
      topics: request.topics.filter((_, item) => may(request.topicNames.length + item)),
    }),
    errorCodes: ({ responses }) => responses.map(({ errorCode }) => errorCode),
    join: (answer, refusal) => ({ ...answer, responses: [...answer.responses, ...refusal.responses] }),
  },
});
