/** Names by OpenTelemetry's semantic conventions for messaging, which may still change: all of them are here. */
export const ATTRIBUTE = {
  system: 'messaging.system',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  topic: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  offset: 'messaging.kafka.offset',
  key: 'messaging.kafka.message.key',
  isTombstone: 'messaging.kafka.message.tombstone',
  groupId: 'messaging.consumer.group.name',
  clientId: 'messaging.client.id',
  recordsCount: 'messaging.batch.message_count',
  errorType: 'error.type',
} as const;

export const SYSTEM = 'kafka';

/** By what is done: its name, and of what kind that is. A span is called `send orders`. */
export const OPERATION = {
  send: { name: 'send', type: 'send' },
  poll: { name: 'poll', type: 'receive' },
  work: { name: 'process', type: 'process' },
} as const;
