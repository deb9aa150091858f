/** What users import from `milena` beside `connect`, which is the platform's: one list for Node, Workers and pages. */
export type { Client } from './client.ts';
export type { ConnectOptions, TlsOptions } from './connect.ts';
export { BrokerError, type ClientErrorCode, ConnectionLost, MilenaError, RefusedError } from './errors.ts';
export { murmur2Partitioner, type Partitioner } from './producer/partitioner.ts';
export type { Producer, ProducerOptions, SendOptions } from './producer/producer.ts';
export type { ProducerRecord, RecordBytes, RecordMetadata } from './producer/record.ts';
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
export { messagePortTransport } from './transports/message-port.ts';
export type { BrokerAddress, ByteStream, StreamEvents, Transport } from '../ports/transport.ts';
