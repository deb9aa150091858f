import { ErrorCode, KafkaError } from '../model/errors.ts';

/** Bytes that are not what the protocol says, or a value that a field cannot hold: INVALID_REQUEST (42). */
export class WireError extends KafkaError {
  override name = 'WireError';
  constructor(message: string) {
    super(ErrorCode.INVALID_REQUEST, message);
  }
}
