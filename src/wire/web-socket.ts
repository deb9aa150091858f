/** Kafka over WebSocket: binary messages put together are the byte stream of a TCP connection, whatever their cut. */
export const KAFKA_SUBPROTOCOL = 'milena.kafka.v1';

/** What a message of ours holds at most: intermediaries have been seen to fail near a megabyte. */
export const SENT_MESSAGE_MAX_BYTES = 900_000;
