export { sharePartitionKeyOf, type SharePartitionId, type StateBatch } from './records.ts';
export { durationMs } from './duration.ts';
export { type ShareGroupConfig, DEFAULT_SHARE_GROUP_CONFIG } from './config.ts';
export {
  type Acquired,
  type AcknowledgementBatch,
  SharePartition,
  type Span,
  type StateWrite,
  type StoredState,
} from './share-partition.ts';
export { SHARE_STATE_APIS, ShareStateMachine, type ShareStateOptions } from './state-machine.ts';
export { AcknowledgeType, AcquireMode, DeliveryState, NO_START_OFFSET } from './states.ts';
