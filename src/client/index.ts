/** What users import from `milena` beside `connect`, which is the platform's: one list for Node, Workers and pages. */
export type { Client } from './client.ts';
export type { ConnectOptions, TlsOptions } from './connect.ts';
export { BrokerError, type ClientErrorCode, ConnectionLost, MilenaError, RefusedError } from './errors.ts';
export { murmur2Partitioner, type Partitioner } from './producer/partitioner.ts';
export type { Producer, ProducerOptions, SendOptions } from './producer/producer.ts';
export type { ProducerRecord, RecordBytes, RecordMetadata } from './producer/record.ts';
export { messagePortTransport } from './transports/message-port.ts';
export type { BrokerAddress, ByteStream, StreamEvents, Transport } from '../ports/transport.ts';
