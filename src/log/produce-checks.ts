import { BatchFault } from '../kernels/kernels.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { Millis } from '../model/ids.ts';
import { records } from '../records/batch.ts';
import type { Record } from '../records/batch.ts';
import { recompress } from '../records/builder.ts';
import { CODEC } from '../records/codecs.ts';
import type { Codecs, MaybePromise } from '../records/codecs.ts';
import { BatchHeader, DELETE_HORIZON, HEADER_SIZE } from '../records/header.ts';
import { refused } from './append.ts';
import type { Refused } from './append.ts';
import type { LogConfig } from './config.ts';

const ZSTD_SINCE_PRODUCE_VERSION = 7;
const MAGIC = 2;
const MAGIC_POSITION = 16;
/** A reply names so many bad records of a batch and no more. */
const RECORD_ERRORS_MAX = 100;

export interface ProduceContext {
  kernels: Kernels;
  codecs: Codecs;
  config: LogConfig;
  nowMs: Millis;
  apiVersion?: number | undefined;
}

type Check = (header: BatchHeader, context: ProduceContext) => Refused | undefined;

const CHECKS: readonly Check[] = [
  checkSize,
  checkBytes,
  checkAttributes,
  checkTimestamps,
  checkProducer,
  checkKeys,
];

/**
 * What a broker demands of a produced batch (`bytes`, whose `header` may be cut short), in Kafka's order, without
 * changing it. Which records a compressed batch holds is looked at only on compacted topics, and its timestamps are
 * believed.
 */
export function checkProduced(
  bytes: Uint8Array,
  header: BatchHeader,
  context: ProduceContext,
): Refused | undefined {
  if (bytes.length === 0) return refused(ErrorCode.INVALID_RECORD, 'no record batch');
  // Older message sets are shorter than a header, and have their magic in the same place.
  if (bytes.length > MAGIC_POSITION && header.magic !== MAGIC) {
    return refused(ErrorCode.INVALID_RECORD, `magic ${header.magic}: only 2 is served`);
  }
  if (bytes.length < HEADER_SIZE) return refused(ErrorCode.CORRUPT_MESSAGE, 'shorter than a batch header');
  if (header.sizeBytes >= HEADER_SIZE && header.sizeBytes < bytes.length) {
    return refused(ErrorCode.INVALID_RECORD, 'more than one record batch');
  }
  for (const check of CHECKS) {
    const refusal = check(header, context);
    if (refusal) return refusal;
  }
  return undefined;
}

/**
 * Repacks for `compression.type`. What cannot pass `checkProduced` comes back as it is, to be refused there.
 */
export function prepareProduced(
  bytes: Uint8Array,
  context: Omit<ProduceContext, 'nowMs'>,
): MaybePromise<Uint8Array | Refused> {
  const { compressionType, compressionLevel: level, maxMessageBytes } = context.config;
  if (compressionType === 'producer' || bytes.length > maxMessageBytes) return bytes;
  if (context.kernels.validateBatch(bytes) !== BatchFault.none) return bytes;
  const codec = compressionType === 'uncompressed' ? CODEC.none : CODEC[compressionType];
  try {
    const packed = recompress(context, bytes, codec, level);
    return packed instanceof Promise ? packed.catch(asRefusal) : packed;
  } catch (error) {
    return asRefusal(error);
  }
}

function checkSize({ bytes }: BatchHeader, { config }: ProduceContext): Refused | undefined {
  const { maxMessageBytes, segmentBytes } = config;
  if (bytes.length > maxMessageBytes) {
    return refused(
      ErrorCode.MESSAGE_TOO_LARGE,
      `${bytes.length} bytes, max.message.bytes is ${maxMessageBytes}`,
    );
  }
  if (bytes.length > segmentBytes) {
    return refused(
      ErrorCode.RECORD_LIST_TOO_LARGE,
      `${bytes.length} bytes, segment.bytes is ${segmentBytes}`,
    );
  }
  return undefined;
}

function checkBytes({ bytes, recordsCount }: BatchHeader, { kernels }: ProduceContext): Refused | undefined {
  switch (kernels.validateBatch(bytes)) {
    case BatchFault.none:
      return recordsCount > 0 ? undefined : refused(ErrorCode.INVALID_RECORD, 'a batch without records');
    case BatchFault.truncated:
      return refused(ErrorCode.CORRUPT_MESSAGE, 'the batch is cut short');
    case BatchFault.crc:
      return refused(ErrorCode.CORRUPT_MESSAGE, 'wrong CRC');
    case BatchFault.count:
      return refused(ErrorCode.INVALID_RECORD, 'the batch does not hold as many records as it says');
    case BatchFault.record:
      return refused(ErrorCode.INVALID_RECORD, 'a record runs over its bounds');
    default:
      return refused(ErrorCode.INVALID_RECORD, 'not one record batch of magic 2');
  }
}

function checkAttributes(header: BatchHeader, { apiVersion }: ProduceContext): Refused | undefined {
  if (header.baseOffset !== 0) return refused(ErrorCode.INVALID_RECORD, 'baseOffset must be 0');
  if (header.isControl) return refused(ErrorCode.INVALID_RECORD, 'clients must not send control batches');
  if ((header.attributes & DELETE_HORIZON) !== 0) {
    return refused(ErrorCode.INVALID_RECORD, 'clients must not set a delete horizon');
  }
  const isOldZstd = header.codec === CODEC.zstd && (apiVersion ?? Infinity) < ZSTD_SINCE_PRODUCE_VERSION;
  if (header.codec > CODEC.zstd || isOldZstd) {
    const message = isOldZstd ? 'zstd needs Produce 7 or newer' : `no codec has the number ${header.codec}`;
    return refused(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, message);
  }
  return undefined;
}

function checkTimestamps(header: BatchHeader, context: ProduceContext): Refused | undefined {
  const { timestampType, timestampBeforeMaxMs, timestampAfterMaxMs } = context.config;
  if (header.isLogAppendTime) {
    return refused(ErrorCode.INVALID_TIMESTAMP, 'clients must not set the timestamp type LogAppendTime');
  }
  if (timestampType === 'LogAppendTime') return undefined;
  const earliest = Math.max(context.nowMs - timestampBeforeMaxMs, 0);
  const latest = Math.min(context.nowMs + timestampAfterMaxMs, Number.MAX_SAFE_INTEGER);
  const isOutside = (timestamp: Millis) =>
    timestamp !== -1 && !(timestamp >= earliest && timestamp <= latest);
  const bad = earliest > 0 || isOutside(header.baseTimestamp) || isOutside(header.maxTimestamp);
  if (!bad) return undefined;
  const recordErrors = offenders(header, context, ({ timestamp }) =>
    isOutside(timestamp) ? `timestamp ${timestamp} is not within ${earliest} and ${latest}` : undefined,
  );
  if (Array.isArray(recordErrors) && recordErrors.length > 0) {
    return refused(ErrorCode.INVALID_TIMESTAMP, 'a timestamp is out of the accepted range', recordErrors);
  }
  return isOutside(header.baseTimestamp) || isOutside(header.maxTimestamp)
    ? refused(ErrorCode.INVALID_TIMESTAMP, 'a timestamp of the batch is out of the accepted range')
    : undefined;
}

function checkProducer(header: BatchHeader): Refused | undefined {
  const { producerId, producerEpoch, baseSequence, isTransactional } = header;
  if (!Number.isSafeInteger(producerId))
    return refused(ErrorCode.INVALID_REQUEST, 'producer id is over 2^53');
  if (producerId < 0) {
    return isTransactional
      ? refused(ErrorCode.INVALID_RECORD, 'transactional without a producer id')
      : undefined;
  }
  if (producerEpoch < 0) return refused(ErrorCode.INVALID_PRODUCER_EPOCH, 'a producer id without an epoch');
  return baseSequence < 0 ? refused(ErrorCode.INVALID_RECORD, 'a producer id without a sequence') : undefined;
}

function checkKeys(header: BatchHeader, context: ProduceContext): Refused | undefined {
  if (!context.config.cleanupPolicy.includes('compact')) return undefined;
  const message = 'a compacted topic takes no record without a key';
  const keyless = offenders(header, context, ({ key }) => (key === null ? message : undefined));
  if (!Array.isArray(keyless)) return keyless;
  return keyless.length > 0 ? refused(ErrorCode.INVALID_RECORD, message, keyless) : undefined;
}

/**
 * Records `why` objects to, or why they cannot be read here and now: a home whose codec is not sync cannot
 * check what is inside a compressed batch.
 */
function offenders(
  header: BatchHeader,
  { kernels, codecs }: ProduceContext,
  why: (record: Record) => string | undefined,
): { batchIndex: number; message: string }[] | Refused {
  try {
    const found = records(header.bytes, kernels, codecs);
    if (found instanceof Promise) {
      found.catch(() => undefined);
      return refused(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, 'this codec cannot be checked here');
    }
    const errors: { batchIndex: number; message: string }[] = [];
    for (let index = 0; index < found.length && errors.length < RECORD_ERRORS_MAX; index++) {
      const message = why(found.at(index));
      if (message !== undefined) errors.push({ batchIndex: index, message });
    }
    return errors;
  } catch (error) {
    return asRefusal(error);
  }
}

function asRefusal(error: unknown): Refused {
  if (error instanceof KafkaError) return refused(error.code, error.message);
  throw error;
}
