import { ErrorCode } from '../../model/errors.ts';
import {
  type AlterReplicaLogDirsRequest,
  alterReplicaLogDirsApi,
} from '../../wire/apis/34-alter-replica-log-dirs.ts';
import { handler } from '../handler.ts';
import { resolvePartition } from '../topics.ts';

/** There is one log directory: what is in it already is moved there at once, and to no other. */
export const alterReplicaLogDirs = handler({
  api: alterReplicaLogDirsApi,
  min: 1,
  max: 2,
  handle(call, request) {
    const { image, config } = call.gateway;
    const errorOf = (path: string, name: string, partition: number): number => {
      if (path !== config.logDir.path) return ErrorCode.LOG_DIR_NOT_FOUND;
      const place = resolvePartition(image, { name }, partition);
      return 'errorCode' in place ? place.errorCode : ErrorCode.NONE;
    };
    call.reply(answered(request, errorOf));
  },
});

export function refuseMoves(errorCode: number, request: AlterReplicaLogDirsRequest) {
  return answered(request, () => errorCode);
}

function answered(
  { dirs }: AlterReplicaLogDirsRequest,
  errorOf: (path: string, name: string, partition: number) => number,
) {
  const results = dirs.flatMap(({ path, topics }) =>
    topics.map(({ name, partitions }) => ({
      topicName: name,
      partitions: partitions.map((partitionIndex) => ({
        partitionIndex,
        errorCode: errorOf(path, name, partitionIndex),
      })),
    })),
  );
  return { throttleTimeMs: 0, results };
}
