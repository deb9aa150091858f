/** What users import from `milena` beside `connect`, which is the platform's: one list for Node, Workers and pages. */
export type { Admin } from './admin/admin.ts';
export type { AclRule, AclRuleFilter } from './admin/acls.ts';
export type { QuotaEntity, QuotaFilter, QuotaLimits, QuotaListing } from './admin/quotas.ts';
export type { ActiveProducer } from './admin/active-producers.ts';
export type { HangingOptions } from './admin/hanging-transactions.ts';
export type { TransactionDescription, TransactionFilter, TransactionListing } from './admin/transactions.ts';
export type { AdminOptions } from './admin/asking.ts';
export type { ClusterDescription } from './admin/cluster-admin.ts';
export type { ClusterHealth } from './admin/cluster-health.ts';
export type {
  ConfigChange,
  ConfigEntry,
  ConfigResource,
  ConfigResourceKind,
  ConfigValue,
} from './admin/configs.ts';
export type { FeatureDescription } from './admin/features.ts';
export type { GroupDescription, GroupMember } from './admin/group-descriptions.ts';
export type { GroupLag, LagOptions, PartitionLag } from './admin/group-lag.ts';
export type { GroupOffset } from './admin/group-offsets.ts';
export type { GroupReset, PartitionReset, ResetOptions } from './admin/group-reset.ts';
export type { GroupListing } from './admin/groups.ts';
export type { LogDir, LogDirPartition } from './admin/log-dirs.ts';
export type { Quorum, QuorumReplica } from './admin/quorum.ts';
export type { ListedOffset } from './admin/offset-finder.ts';
export type { ListOffsetsOptions, OffsetSpec } from './admin/offsets.ts';
export type { ShareGroupOffset } from './admin/share-offsets.ts';
export type { DeletedRecords, DeleteRecordsOptions } from './admin/records.ts';
export type { TopicDescription } from './admin/topic-descriptions.ts';
export type { NewTopicOptions, TopicListing } from './admin/topics.ts';
export type { PasswordOptions, UserListing } from './admin/users.ts';
export type { Client } from './client.ts';
export type { ConnectOptions, SaslOptions, TlsOptions } from './connect.ts';
export type { ServiceBinding } from './transports/service-binding.ts';
export type { ConsumedRecord } from './consumer/consumed-record.ts';
export type { Consumer, ConsumerStatus } from './consumer/consumer.ts';
export type { Order } from './consumer/lanes.ts';
export type { ConsumerOptions, ManualAssignment } from './consumer/options.ts';
export type { Handler, RunOptions } from './consumer/run-options.ts';
export type { ConsumerLag } from './consumer/share.ts';
export { BrokerError, type ClientErrorCode, ConnectionLost, MilenaError, RefusedError } from './errors.ts';
export type { ConsumerRecord, FetchedBatch } from './fetch/consumer-record.ts';
export type { Progress } from './fetch/fetcher.ts';
export type { Isolation } from './fetch/lookups.ts';
export type { Ago, Position, Time } from './fetch/position.ts';
export type { Assignor, Assignments, GroupMember as AssignorMember } from './group/assignors/assignor.ts';
export type { AssignorChoice } from './group/assignors/choice.ts';
export type { Latest, LatestOptions } from './latest.ts';
export { murmur2Partitioner, type Partitioner } from './producer/partitioner.ts';
export type { Producer, ProducerOptions, SendOptions } from './producer/producer.ts';
export type { ProducerRecord, RecordBytes, RecordMetadata } from './producer/record.ts';
export type { Reader, ReadOptions } from './read.ts';
export type { ShareConsumer } from './share/share-consumer.ts';
export type { LostAcknowledgement, ShareConsumerOptions, ShareRunOptions } from './share/share-options.ts';
export type { ShareRecord } from './share/share-record.ts';
export type { TopicPartition } from './topic-partition.ts';
export { InvalidRecord } from './topics/invalid-record.ts';
export type { OnInvalid } from './topics/on-invalid.ts';
export { type Format, type Serde, serde } from './topics/serde.ts';
export type { StandardSchema } from './topics/standard-schema.ts';
export {
  type ReadableTopic,
  topic,
  type Topic,
  type TopicOptions,
  type WritableTopic,
} from './topics/topic.ts';
export type { TransactionalProducer, TransactionalProducerOptions } from './transactional-producer.ts';
export type { Committing, Consumed, Transaction } from './transactions/transaction.ts';
export { messagePortTransport } from './transports/message-port.ts';
export { openTelemetry, type OpenTelemetryApi } from './tracing/open-telemetry.ts';
export type {
  ConnectionMessage,
  FetchMessage,
  ProduceMessage,
  RequestMessage,
} from '../ports/diagnostics.ts';
export type { Attributes, Carrier, Span, SpanStart, Tracing } from '../ports/tracing.ts';
export type { BrokerAddress, ByteStream, StreamEvents, Transport } from '../ports/transport.ts';
